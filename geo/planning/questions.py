"""The registry of questions: an allow-list. A new question is one file beside this one and one entry here."""

from geo.errors import NotFound
from geo.planning.coverage import COVERAGE
from geo.planning.echo import ECHO
from geo.planning.nearby import NEARBY
from geo.planning.network import NETWORK
from geo.planning.overlay import OVERLAY
from geo.planning.question import Verb
from geo.planning.scenario import SCENARIO
from geo.planning.summary import SUMMARY

QUESTIONS = {verb.id: verb for verb in (NEARBY, SUMMARY, COVERAGE, OVERLAY, NETWORK, SCENARIO, ECHO)}
"""Every question, by id, in the order in which they are listed."""


class NoSuchProcess(NotFound):
    """There is no question of that name."""


def question(id: str) -> Verb:
    """The question of that id; NoSuchProcess if there is none."""
    found = QUESTIONS.get(id)
    if found is None:
        raise NoSuchProcess("there is no such process")
    return found
