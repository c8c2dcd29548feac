"""What the routes of one process share: settings, database, catalogue; and how one request is asked and answered."""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import brotli
import structlog
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from api import negotiation, pages
from api.problems import NotAcceptable
from api.query import Parameters, one_of
from geo.collections import CATALOGUE, Catalogue, Territory, Versions
from geo.columns import LANGUAGES, say
from geo.db import Database
from geo.errors import GohelleError
from geo.listening import Listener
from geo.settings import Settings

HTML = "text/html"
SMALLEST_WORTH_COMPRESSING = 600

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Form:
    """One representation of a resource: its value of `f=`, its media type, and another that it is accepted as."""

    name: str
    media_type: str
    also: str | None = None


JSON = Form("json", "application/json")
PAGE = Form("html", HTML)


class House:
    """One for a process."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet."""
        self.settings = settings
        self.listener = Listener(settings)
        self.db = Database(settings, wrote=self.listener.tell)
        self.catalogue = Catalogue()
        self.build = _build(settings)

    def url(self, path: str) -> str:
        """The absolute address of a path; from GOHELLE_PUBLIC_URL only, never from what a client says."""
        return self.settings.public_url + path

    def site(self, territory: Territory, lang: str) -> pages.Site:
        """What every page knows of its territory, in the page's language."""
        body = territory.body
        return {
            "title": say(body["title"], lang),
            "description": say(body["description"], lang),
            "languages": list(territory.languages),
            "attribution": body["attribution"],
            "licence": body["licence"],
            "contact": dict(body.get("contact", {})),
            "pages": [{"id": page["id"], "title": say(page["title"], lang)} for page in body.get("pages", ())],
            "public_url": self.settings.public_url,
            "basemap": self.settings.basemap,
            "collections": [
                {"id": one.id, "title": say(one.title, lang), "kind": one.kind.id}
                for one in territory.collections.values()
            ],
        }

    def error_page(self, request: Request, problem: Mapping[str, Any]) -> str | None:
        """The problem as a page, where a browser asks; None while the territory is not known."""
        asked = request.query_params.get("f")
        takes = negotiation.media_type(request.headers.get("accept", ""), ("application/json", HTML))
        if asked != "html" if asked else takes != HTML:
            return None
        try:
            territory = self.catalogue.last_known() or self._introduced()
            preferred = negotiation.language(request.headers.get("accept-language", ""), territory.languages)
            named = request.query_params.get("lang")
            lang = named if named in territory.languages else preferred
            query = [("lang", lang)] if lang == named else []
            site = self.site(territory, lang)
            told = {**problem, "posted": request.method == "POST"}
            return pages.render("error.html", told, lang=lang, site=site, path=request.url.path, query=query)
        except GohelleError:
            return None
        except Exception:
            log.exception("error page failed")
            return None

    def _introduced(self) -> Territory:
        """The territory, for a process whose first answer is an error."""
        with self.db.read() as tx:
            return self.catalogue.territory(tx)


class Ask:
    """One GET: what was asked for, in which form and language, and the answer to it."""

    def __init__(self, request: Request) -> None:
        """Read the request's line and headers; the house is the application's."""
        self.request = request
        self.house: House = request.app.state.house
        self.form = JSON
        self.lang = LANGUAGES[0]
        self.own_language = LANGUAGES[0]

    @property
    def path(self) -> str:
        """The path as it was asked for."""
        return self.request.url.path

    def territory(self, *forms: Form) -> Territory:
        """The territory, for an answer about it alone: form and language settled, and no other parameter taken."""
        with self.house.db.read() as tx:
            territory = self.house.catalogue.territory(tx)
        self.settle(territory, forms or (JSON, PAGE)).finish()
        return territory

    def settle(self, territory: Territory, forms: Sequence[Form] = (JSON, PAGE)) -> Parameters:
        """Choose form and language, and hand over the other parameters."""
        pairs = self.request.query_params.multi_items()
        named = dict(pairs).get("f")
        self.form = next((form for form in forms if form.name == named), None) or self._accepted(forms)
        parameters = Parameters(pairs, lenient=self.form is PAGE)
        parameters.take("f", one_of([form.name for form in forms]), "")
        self.own_language = territory.languages[0]
        preferred = negotiation.language(self.request.headers.get("accept-language", ""), territory.languages)
        self.lang = parameters.take("lang", one_of(sorted({*LANGUAGES, *territory.languages})), preferred)
        return parameters

    def wants(self, forms: Sequence[Form]) -> Form:
        """The form that is asked for, before anything else of the question is read."""
        named = self.request.query_params.get("f")
        return next((form for form in forms if form.name == named), None) or self._accepted(forms)

    def _accepted(self, forms: Sequence[Form]) -> Form:
        accept = self.request.headers.get("accept", "")
        offered = {name: form for form in reversed(forms) for name in (form.also, form.media_type) if name}
        chosen = negotiation.media_type(accept, list(reversed(offered)))
        if chosen is None:
            raise NotAcceptable(f"this address speaks {', '.join(sorted(offered))}")
        return offered[chosen]

    @property
    def translation(self) -> str | None:
        """The language to translate into; None where it is that of the territory's texts."""
        return None if self.lang == self.own_language else self.lang

    def unchanged(self, versions: Versions) -> Response | None:
        """304, if the client holds what these versions would give; asked before the answer is made."""
        return self._unchanged(self._tag(versions))

    def _unchanged(self, tag: str) -> Response | None:
        held = self.request.headers.get("if-none-match", "")
        if tag in (one.strip().removeprefix("W/") for one in held.split(",")) or held.strip() == "*":
            return Response(status_code=304, headers=self._headers(tag))
        return None

    def answer(
        self,
        document: Any,
        *,
        versions: Versions,
        territory: Territory,
        template: str,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The document in the form asked for. Text is sent as it is, and parsed only where a page needs it."""
        if self.form is PAGE:
            parsed = json.loads(document) if isinstance(document, str) else document
            return self.page(template, parsed, versions=versions, territory=territory, headers=headers)
        body = (
            document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        )
        return self.reply(body, self.form.media_type, versions=versions, headers=headers)

    def page(
        self,
        template: str,
        document: Any,
        *,
        versions: Versions,
        territory: Territory,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The document as a page."""
        site = self.house.site(territory, self.lang)
        query = self.request.query_params.multi_items()
        body = pages.render(template, document, lang=self.lang, site=site, path=self.path, query=query)
        policy = pages.policy(self.house.settings.basemap) if template in pages.MAPS else pages.PAGE_CSP
        return self.reply(
            body,
            f"{HTML}; charset=utf-8",
            versions=versions,
            headers={**(headers or {}), "Content-Security-Policy": policy, "Referrer-Policy": "same-origin"},
        )

    def reply(
        self, body: str | bytes, media_type: str, *, versions: Versions, headers: Mapping[str, str] | None = None
    ) -> Response:
        """The finished answer: compressed as the client likes, with the tag that its versions give."""
        tag = self._tag(versions)
        if (same := self._unchanged(tag)) is not None:
            return same
        self.request.state.versions = self._known(versions)
        data = body.encode() if isinstance(body, str) else body
        coding = self.coding if len(data) >= SMALLEST_WORTH_COMPRESSING else None
        sent = {**self._headers(tag), **(headers or {}), "Content-Language": self.lang}
        if coding:
            data = compressed(data, coding)
            sent["Content-Encoding"] = coding
        return Response(data, 200, sent, media_type)

    @property
    def coding(self) -> str | None:
        """How the client likes its answer compressed, if at all."""
        return negotiation.encoding(self.request.headers.get("accept-encoding", ""))

    def _headers(self, tag: str) -> dict[str, str]:
        return {
            "ETag": tag,
            "Vary": "Accept, Accept-Language, Accept-Encoding",
            "Cache-Control": "public, max-age=0, must-revalidate",
        }

    def _tag(self, versions: Versions) -> str:
        """A strong tag: the same bytes for the same build, question, form, language, coding and versions."""
        key = (
            self.house.build,
            self.path,
            sorted(self.request.query_params.multi_items()),
            (self.form.name, self.lang, self.coding),
            sorted(self._known(versions).items()),
        )
        return f'"{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}"'

    def _known(self, versions: Versions) -> Versions:
        """Pages show the territory's name and its collections around whatever they are about."""
        if self.form is not PAGE:
            return versions
        territory = self.house.catalogue.last_known()
        return {CATALOGUE: territory.versions.get(CATALOGUE, 0) if territory else 0, **versions}


def compressed(data: bytes, coding: str) -> bytes:
    """The body in its coding, at a level that costs about a millisecond for 100 kB."""
    if coding == "br":
        return brotli.compress(data, quality=4)

    return gzip.compress(data, compresslevel=6, mtime=0)


def _build(settings: Settings) -> str:
    """What answers depend on beside the data: our own files, and the settings that they show."""
    digest = hashlib.sha256(f"{settings.public_url} {settings.basemap}".encode())
    root = Path(__file__).parent.parent
    for file in sorted((*root.glob("api/*.py"), *root.glob("geo/**/*.py"), *root.glob("web/[bstw]*/**/*.*"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


async def clock() -> datetime:
    """The time of the request; an argument everywhere below."""
    return datetime.now(UTC)


async def house(request: Request) -> House:
    """The house that the application was built with."""
    return request.app.state.house


async def asked(request: Request) -> Ask:
    """The request as a question. `async`, for what is not costs a thread's turn for each request."""
    return Ask(request)


Asked = Annotated[Ask, Depends(asked)]
InHouse = Annotated[House, Depends(house)]
Now = Annotated[datetime, Depends(clock)]
