"""What in a resident's words may point at a person: mail addresses, phone numbers, addresses of the web, house numbers.

Nothing is refused or removed: the findings are shown to the moderator, who decides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

What = Literal["mail", "phone", "web", "house_number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A stretch of a text, from character `start` up to `end`, and what it looks like."""

    what: What
    start: int
    end: int


def findings(words: str) -> Sequence[Finding]:
    """Everything found in the text, in its order; where two overlap, the one that begins first, then the longer."""
    found = sorted(_all(words), key=lambda one: (one.start, -one.end))
    kept: list[Finding] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def parts(words: str) -> Iterator[tuple[str, What | None]]:
    """The text in pieces, each with what it looks like: for a page that marks them."""
    at = 0
    for one in findings(words):
        if one.start > at:
            yield words[at : one.start], None
        yield words[one.start : one.end], one.what
        at = one.end
    if at < len(words):
        yield words[at:], None


def writable(words: str) -> bool:
    """Neither control characters, which no letter shows, nor halves of surrogate pairs, which nothing keeps."""
    return all(sign in "\n\r\t" or (ord(sign) >= 32 and not "\ud800" <= sign <= "\udfff") for sign in words)


def _all(words: str) -> Iterator[Finding]:
    for what, pattern in _PATTERNS:
        for match in pattern.finditer(words):
            if what != "phone" or _dialled(match[0]):
                yield Finding(what=what, start=match.start(), end=match.end())


def _dialled(digits: str) -> bool:
    """Whether there are as many digits as a number has that one can dial."""
    return 9 <= sum(sign.isdigit() for sign in digits) <= 15


_TOPS = "fr|be|de|ch|lu|eu|com|org|net|info|io|bzh|corsica|paris|alsace"
_WAYS_BEFORE = (
    "rue|ruelle|avenue|av|bd|boulevard|impasse|allées?|chemin|place|route|rte|quai|cours|square|sentier|cité|résidence|"
    "lotissement|hameau|passage|venelle|villa|clos|street|road|lane"
)
_WAYS_AFTER = "(?:stra(?:ß|ss)e|str\\.|weg|gasse|platz|allee|ring|damm|ufer)"
_NUMBER = r"\d{1,4}\s?(?:bis|ter|quater|[a-d])?"

_PATTERNS: Sequence[tuple[What, re.Pattern[str]]] = (
    ("mail", re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*", re.IGNORECASE)),
    (
        "mail",  # written out, so that no program sees it: jean (at) exemple point fr
        re.compile(
            r"[\w.+-]{1,64}\s?(?:[\[({]\s?(?:at|a|arobase|chez)\s?[\])}]|\barobase\b)\s?[\w-]{1,63}"
            r"(?:\s?(?:\.|[\[(]?\b(?:dot|point|punkt)\b[\])]?)\s?[\w-]{1,63}){1,3}",
            re.IGNORECASE,
        ),
    ),
    ("web", re.compile(r"(?:https?://|www\.)[^\s<>\"«»]{1,300}", re.IGNORECASE)),
    (
        "web",
        re.compile(
            rf"(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,4}}(?:{_TOPS})\b(?:/[^\s<>]{{0,300}})?",
            re.IGNORECASE,
        ),
    ),
    (
        "phone",
        re.compile(
            r"(?<![\w,.])(?:(?:\+|00)\s?\d{1,3}[\s.\-/]?(?:\(0\)[\s.\-/]?)?\d|0[1-9])(?:[\s.\-/]{0,2}\d){7,12}(?!\w)"
        ),
    ),
    ("house_number", re.compile(rf"(?<![\w,.]){_NUMBER},?\s{{1,2}}(?:{_WAYS_BEFORE})\b", re.IGNORECASE)),
    (
        "house_number",
        re.compile(rf"\b(?:n[°ºo]\.?|numéro|num\.?|nr\.?|hausnummer|haus)\s?{_NUMBER}(?![\w%])", re.IGNORECASE),
    ),
    ("house_number", re.compile(rf"\b(?:[\w-]{{1,40}}[ ]?)?{_WAYS_AFTER}\s{_NUMBER}(?!\w)", re.IGNORECASE)),
    (
        "house_number",  # the number after the way: rue Hoche, 12
        re.compile(
            rf"\b(?:{_WAYS_BEFORE})\b(?:\s[\w'’-]{{1,30}}){{1,5}},?\s(?:au\s)?(?!(?:19|20)\d\d\b){_NUMBER}(?![\w%])",
            re.IGNORECASE,
        ),
    ),
)
"""Bounded everywhere, so that no text makes the search long."""
