"""The features of an answer as a file to take away: GeoPackage and CSV, beside GeoJSON."""

from starlette.responses import Response

from api.downloads import FILES, attached
from api.execution import Execution
from api.house import Ask, Form
from geo import exports
from geo.db import Snapshot
from geo.errors import BadInput, Problem
from geo.exports import Prepared
from geo.files.export import Written
from geo.planning import tables
from geo.planning.question import GEOJSON, Answer, Verb


def forms(verb: Verb) -> tuple[Form, ...]:
    """The files that a question's answer can be had as: only features make one."""
    features = verb.output.schema.get("contentMediaType") == GEOJSON
    return tuple(form for form in FILES if features and form.name in tables.FORMATS)


def prepare(
    ask: Ask, tx: Snapshot, verb: Verb, answer: Answer, body: Execution | None = None
) -> Written | Prepared | None:
    """The file that is asked for, within the snapshot; None where none is."""
    if ask.form not in forms(verb):
        return None
    if body and body.response == "document":
        raise BadInput(Problem(pointer="/response", message="must be raw for a file"))
    return tables.prepare(tx, verb.id, answer, format=ask.form.name)


def sent(ask: Ask, verb: Verb, made: Written | Prepared) -> Response:
    """The file, once the snapshot is given back."""
    return attached(ask, verb.id, exports.finish(ask.house.settings, made))
