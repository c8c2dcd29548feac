"""The form where residents declare an installation, and what it answers. A browser without script can fill it in too."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import discreet, pages, sheet
from api.forms import LARGEST_FORM, Form, Sent, body_of
from api.house import House, InHouse, Now
from api.sessions import from_our_pages
from geo import register
from geo.collections import Territory
from geo.columns import LANGUAGES
from geo.errors import Forbidden, TooOften
from geo.register import BadDraft, Draft, Fault, limits, named, photos
from geo.register.declared import FACTS
from geo.register.photos import Photo
from geo.register.publishing import preview

router = APIRouter()

HASTE = 3
"""Seconds that nobody is quicker than."""

PHOTOS = 3
"""Photos that may be tried for each declaration."""

BY_MAILBOX = 10
"""Declarations a day with one mail address."""


@router.get("/declare")
def form(request: Request, house: InHouse, now: Now) -> Response:
    """Choose a technology; then the form of it."""
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
        places = named.places(tx)
    lang = discreet.language(request, territory)
    technology = request.query_params.get("technology", "")
    if technology not in FACTS:
        return discreet.page(request, "declare.html", sheet.start(lang), territory=territory)
    document = sheet.sheet(
        technology, lang, territory=territory, places=places, values={}, now=now, basemap=house.settings.basemap
    )
    return page(request, document, territory=territory, house=house)


@router.post("/declare", max_body_size=LARGEST_FORM)
def hand_in(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """Take the form: on to the next page, or the same one with everything that is wrong, and nothing lost."""
    from_our_pages(request)
    with house.db.write() as tx:
        territory = house.catalogue.territory(tx)
        places = named.places(tx)
    lang = discreet.language(request, territory)
    if sent["technology"] not in FACTS:
        return discreet.page(request, "declare.html", sheet.start(lang), territory=territory, status=400)

    def again(status: int = 400, **more: Any) -> Response:
        document = sheet.sheet(
            sent["technology"],
            lang,
            territory=territory,
            places=places,
            values=sent.fields,
            now=now,
            basemap=house.settings.basemap,
            **more,
        )
        return page(request, document, territory=territory, house=house, status=status)

    try:
        draft, photo = checked(request, sent, house, territory, lang, now)
        if sent["look"]:
            with house.db.write() as tx:
                return again(200, preview=preview(tx, draft, lang))
        _keep(request, sent, draft, photo, house, now)
    except BadDraft as error:
        return again(faults=error.faults)
    except TooOften:
        return again(429, notice="often")
    return RedirectResponse(f"/declare/sent?lang={lang}", 303, discreet.HEADERS)


@router.get("/declare/sent")
def sent_page(request: Request, house: InHouse) -> Response:
    """What comes next: the link in the mail, or where the mail is kept if nobody sends it."""
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
    folder = house.settings.mail_folder
    document = {"mail_folder": str(folder) if folder else None}
    return discreet.page(request, "declare_sent.html", document, territory=territory)


def page(
    request: Request, document: dict[str, Any], *, territory: Territory, house: House, status: int = 200
) -> Response:
    """The form as a page with a map."""
    policy = pages.form_policy(house.settings.basemap)
    asked = {"technology": document["technology"]} if document["token"] is None else {}
    path = "/declare" if document["token"] is None else "/mine"
    return discreet.page(
        request, "declare.html", document, territory=territory, status=status, policy=policy, path=path, query=asked
    )


def checked(
    request: Request,
    sent: Form,
    house: House,
    territory: Territory,
    lang: str,
    now: datetime,
    *,
    known: bool = False,
) -> tuple[Draft, Photo | None]:
    """The draft and the photo that a form means; BadDraft with all that is wrong, its pace included."""
    faults = [] if known else list(_traps(sent, now))
    draft = None
    body = body_of(sent)
    # `lang` is the page's, `language` that of the letters; a form has one for both.
    body["language"] = lang if lang in LANGUAGES else "fr"
    try:
        with house.db.write() as tx:
            draft = register.check(tx, body, territory=territory, now=now, known=known)
    except BadDraft as error:
        faults += error.faults
    if draft is None or faults:
        raise BadDraft(*faults)
    # Decoding costs seconds: it is done for a declaration that could be kept, not for whoever sends just anything, and
    # each attempt counts, also one that fails.
    data = sent.file(photos.LARGEST) if not sent["look"] else None
    if data is None:
        return draft, None
    _spend_photo(request, house, now)
    return draft, photos.develop(data)


def _spend_photo(request: Request, house: House, now: datetime) -> None:
    if most := PHOTOS * house.settings.declarations_a_day:
        with house.db.write() as tx:
            came_from = limits.block(request.client.host if request.client else None)
            limits.spend(tx, "photo", came_from, most=most, per=timedelta(days=1), now=now)


def spend(request: Request, draft: Draft, house: House, tx: Any, now: datetime) -> None:
    """Count a declaration against the limits of where it comes from and of its mail address; TooOften beyond them."""
    most = house.settings.declarations_a_day
    if most:
        came_from = limits.block(request.client.host if request.client else None)
        limits.spend(tx, "declare", came_from, most=most, per=timedelta(days=1), now=now)
        mailbox = limits.mailbox(draft.email or "")
        limits.spend(tx, "declare by mail", mailbox, most=min(most, BY_MAILBOX), per=timedelta(days=1), now=now)


def admitted(request: Request, house: House) -> None:
    """Let other sites' pages hand declarations in only where the operator has named them; Forbidden for the rest."""
    origin = request.headers.get("origin", "").lower()
    allowed = house.settings.form_origins
    own = house.settings.public_url.lower()
    if origin and origin != own and origin not in allowed and "*" not in allowed:
        raise Forbidden("this site may not hand declarations in here; GOHELLE_FORM_ORIGINS names those that may")


def _keep(request: Request, sent: Form, draft: Draft, photo: Photo | None, house: House, now: datetime) -> None:
    # Sent twice by a nervous finger, or again after "back", the same form is the same declaration.
    key = hashlib.sha256(f"{sent['key']}\0{sorted(draft.as_json().items())}".encode("utf-8", "replace")).hexdigest()
    with house.db.write() as tx:
        receipt = register.submit(tx, draft, now=now, key=f"form:{key}" if sent["key"] else None)
        if receipt.repeated:
            return
        spend(request, draft, house, tx, now)
        if photo:
            photos.keep(tx, receipt.id, photo, waiting=False, now=now)


def _traps(sent: Form, now: datetime):
    """What gives a robot away: a field that people do not see, and a form filled in before anybody could read it."""
    if sent["website"]:
        yield Fault("website", "trapped")
    began = sent["began"]
    if not began.isdecimal() or len(began) > 12 or now.timestamp() - int(began) < HASTE:
        yield Fault("form", "hasty")
