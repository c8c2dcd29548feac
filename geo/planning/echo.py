"""Echo: gives back what was sent, so that a client can try its own way here."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from pydantic import StringConstraints

from geo.columns import words
from geo.planning import inputs
from geo.planning.question import JSON, Answer, Asked, Output, Titled, Verb

LONGEST = 10_000
TITLE = words("Écho", "Echo", "Echo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to give back."""

    __pydantic_config__: ClassVar[Any] = inputs.STRICT
    message: Annotated[
        Annotated[str, StringConstraints(max_length=LONGEST)],
        Titled(words("Message", "Message", "Nachricht")),
    ]
    number: Annotated[Annotated[float, Ge(-1e15), Le(1e15)] | None, Titled(words("Nombre", "Number", "Zahl"))] = None


def _answer(_asked: Asked, question: Question) -> Answer:
    said = {"message": question.message} | ({} if question.number is None else {"number": question.number})
    return Answer(text=json.dumps(said), media_type=JSON)


ECHO = Verb(
    id="echo",
    title=TITLE,
    description=words(
        "Renvoie ce qui a été envoyé, pour essayer un programme.",
        "Gives back what was sent, to try a program.",
        "Gibt zurück, was gesendet wurde, um ein Programm zu erproben.",
    ),
    inputs=Question,
    output=Output(name="echo", title=TITLE, schema={"type": "object", "contentMediaType": JSON}),
    answer=_answer,
)
