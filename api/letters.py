"""The words of the letters that the service sends: what each says, in each language, as text and as HTML.

They lie in web/letters, one file a language. Nothing private stands in them: a technology, a town hall's reason, a link.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from geo.columns import LANGUAGES, say
from geo.energy import TECHNOLOGIES

FOLDER = Path(__file__).resolve().parent.parent / "web" / "letters"

PAGES: Mapping[str, str] = {
    "confirm": "/declare/confirm",
    "owner": "/mine",
    "staff_login": "/townhall/login",
    "flag_confirm": "/flag/confirm",
}
"""The page that a key's purpose opens; only its button acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter in one language, ready to be put into an envelope."""

    subject: str
    text: str
    html: str


def link(public_url: str, purpose: str, token: str, lang: str) -> str:
    """The address that a letter's button opens. The key is in the fragment, which browsers send to no server."""
    return f"{public_url}{PAGES[purpose]}?lang={lang}#{token}"


def write(
    name: str, lang: str, *, details: Mapping[str, Any], link: str | None, title: Mapping[str, str], signature: str
) -> Letter:
    """A letter in its reader's language, from the territory of that title; signed by the town hall."""
    lang = lang if lang in LANGUAGES else LANGUAGES[0]
    words = _words(lang)
    values = {"of": _of(details.get("technology"), lang), "title": say(title, lang)}
    own = {key: _filled(value, values) for key, value in {**words["common"], **words[name]}.items() if key != "reason"}
    content = {
        **own,
        "lang": lang,
        "link": link,
        "reason": str(details.get("reason") or "").strip(),
        "reason_title": words["common"]["reason"],
        "colon": "\u00a0:" if lang == "fr" else ":",
        "signature": signature,
    }
    subject = " ".join(f"{own['subject']} · {values['title']}".split())
    return Letter(subject=subject, text=_render("letter.txt", content), html=_render("letter.html", content))


def _filled(value: str | list[str], values: Mapping[str, str]) -> str | list[str]:
    """Our words with their gaps filled; what fills them is text, in which nothing more is looked for."""
    return value.format_map(values) if isinstance(value, str) else [line.format_map(values) for line in value]


def _of(technology: object, lang: str) -> str:
    label = TECHNOLOGIES.get(str(technology))
    return f" ({say(label, lang)})" if label else ""


@cache
def _words(lang: str) -> Mapping[str, Mapping[str, Any]]:
    with (FOLDER / f"{lang}.toml").open("rb") as file:
        return tomllib.load(file)


def _render(template: str, content: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(content)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
