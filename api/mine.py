"""The pages of a declaration's owner: whoever holds the mailed key sees, corrects, withdraws, takes along and erases it.

A key comes in the part of the address that is never sent to us; the page's button posts it. A GET tells and changes nothing.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import declare, discreet, pages, sheet
from api.forms import LARGEST_FORM, Form, Sent
from api.house import House, InHouse, Now
from api.sessions import from_our_pages
from geo import register
from geo.collections import Territory
from geo.columns import say
from geo.energy import TECHNOLOGIES
from geo.errors import BadKey, IllegalDecision, TooOften
from geo.privacy import shown
from geo.register import BadDraft, limits, named, photos
from geo.register.declared import COMMON, FACTS
from geo.register.sketch import sketch

router = APIRouter()

LOST_A_DAY = 5
"""How many times a day new links go to one address."""


@router.get("/declare/confirm")
def confirm_page(request: Request, house: InHouse) -> Response:
    """The page that the first mail opens: its button confirms."""
    return _simple(request, house, "declare_confirm.html", {"done": None}, policy=pages.KEY_CSP)


@router.post("/declare/confirm")
def confirm(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """The owner says that it was them."""
    try:
        with house.db.write() as tx:
            _, key = register.confirm(tx, sent["token"].strip(), now=now)
    except (BadKey, IllegalDecision):
        return _bad_key(request, house)
    return _simple(request, house, "declare_confirm.html", {"done": key}, policy=pages.KEY_CSP)


@router.get("/mine")
def mine_page(request: Request, house: InHouse) -> Response:
    """The page that later mails open: it asks for the key and shows nothing yet."""
    return _simple(request, house, "mine_open.html", {}, policy=pages.KEY_CSP)


@router.post("/mine")
def mine(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """The declaration, to its owner."""
    return _shown(request, sent, house, now)


@router.post("/mine/edit")
def edit(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """The form with what is declared, to correct it."""
    try:
        with house.db.write() as tx:
            territory = house.catalogue.territory(tx)
            owned = register.owned(tx, sent["token"], now=now)
            shot = _picture(tx, owned)
            places = named.places(tx)
    except BadKey:
        return _bad_key(request, house)
    draft = owned.waiting or owned.draft
    document = sheet.sheet(
        draft.technology,
        discreet.language(request, territory),
        territory=territory,
        places=places,
        values=sheet.values_of(draft),
        now=now,
        token=sent["token"],
        photo=shot,
        basemap=house.settings.basemap,
    )
    return declare.page(request, document, territory=territory, house=house)


@router.post("/mine/correct", max_body_size=LARGEST_FORM)
def correct(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """Take the correction, or show the form again with everything that is wrong."""
    try:
        with house.db.write() as tx:
            territory = house.catalogue.territory(tx)
            owned = register.owned(tx, sent["token"], now=now)
            places, shot = named.places(tx), _picture(tx, owned)
    except BadKey:
        return _bad_key(request, house)
    lang = discreet.language(request, territory)
    technology = sent["technology"] if sent["technology"] in FACTS else owned.draft.technology

    def again(status: int, **more: Any) -> Response:
        document = sheet.sheet(
            technology,
            lang,
            territory=territory,
            places=places,
            values=sent.fields,
            now=now,
            token=sent["token"],
            photo=shot,
            basemap=house.settings.basemap,
            **more,
        )
        return declare.page(request, document, territory=territory, house=house, status=status)

    try:
        draft, photo = declare.checked(request, sent, house, territory, lang, now, known=True)
    except BadDraft as error:
        return again(400, faults=error.faults)
    except TooOften:
        return again(429, notice="often")
    try:
        with house.db.write() as tx:
            if sent["photo_drop"]:
                photos.remove(tx, owned.id)
            act = register.amend(tx, sent["token"], draft, territory=territory, now=now)
            if photo:
                photos.keep(tx, owned.id, photo, waiting=act == "amend", now=now)
    except BadKey:
        return _bad_key(request, house)
    except IllegalDecision:
        return _shown(request, sent, house, now, notice="not_now", status=409)
    return _shown(request, sent, house, now, notice="corrected")


@router.post("/mine/renew")
def renew(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """It is still right."""
    return _act(request, sent, house, now, register.renew, "renewed")


@router.post("/mine/withdraw")
def withdraw(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """Take it out of everything public, at once."""
    return _act(request, sent, house, now, register.withdraw, "withdrawn")


@router.post("/mine/erase")
def erase(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """Forget it altogether."""
    if not sent["sure"]:
        return _shown(request, sent, house, now, notice="erase_untick", status=400)
    try:
        with house.db.write() as tx:
            register.erase(tx, sent["token"], now=now)
    except BadKey:
        return _bad_key(request, house)
    return _simple(request, house, "mine_told.html", {"title": "erased_title", "text": "erased"})


@router.post("/mine/export")
def export(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """All that is kept about it, as JSON."""
    try:
        with house.db.write() as tx:
            held = register.held(tx, sent["token"], now=now)
    except BadKey:
        return _bad_key(request, house)
    headers = {**discreet.HEADERS, "Content-Disposition": 'attachment; filename="declaration.json"'}
    return Response(json.dumps(held, ensure_ascii=False, indent=1), 200, headers, "application/json")


@router.get("/mine/lost")
def lost_page(request: Request, house: InHouse) -> Response:
    """Ask for a new link."""
    return _simple(request, house, "mine_lost.html", {})


@router.post("/mine/lost")
def lost(request: Request, sent: Sent, house: InHouse, now: Now) -> Response:
    """The same answer whether or not anything was declared with the address; nobody gets more than a few mails a day."""
    from_our_pages(request)
    email = sent["email"].strip()[:254]
    try:
        with house.db.write() as tx:
            came_from = limits.block(request.client.host if request.client else None)
            limits.spend(tx, "lost link", came_from, most=60, per=timedelta(days=1), now=now)
            limits.spend(
                tx, "lost link by mail", limits.mailbox(email), most=LOST_A_DAY, per=timedelta(days=1), now=now
            )
            register.ask_again(tx, email, now=now)
    except TooOften:
        """Told alike: who asks too often learns as little as who asks once."""
    folder = house.settings.mail_folder
    document = {"title": "lost_title", "text": "lost_done", "mail_folder": str(folder) if folder else None}
    return _simple(request, house, "mine_told.html", document)


def _act(request: Request, sent: Form, house: House, now: datetime, act: Any, notice: str) -> Response:
    try:
        with house.db.write() as tx:
            act(tx, sent["token"], now=now)
    except BadKey:
        return _bad_key(request, house)
    except IllegalDecision:
        return _shown(request, sent, house, now, notice="not_now", status=409)
    return _shown(request, sent, house, now, notice=notice)


def _shown(
    request: Request, sent: Form, house: House, now: datetime, *, notice: str | None = None, status: int = 200
) -> Response:
    token = sent["token"].strip()
    try:
        with house.db.write() as tx:
            territory = house.catalogue.territory(tx)
            owned = register.owned(tx, token, now=now)
            shot = _picture(tx, owned)
            told = owned.waiting or owned.draft
            where = sketch(tx, told.location, shown(told.precision))
    except BadKey:
        return _bad_key(request, house)
    lang = discreet.language(request, territory)
    document = {"owned": owned, "token": token, "photo": shot, "notice": notice, "collection": _collection(territory)}
    document |= {"sketch": where, "exact": told.precision == "exact"}
    document |= {"label": say(TECHNOLOGIES[owned.draft.technology], lang), "lines": _lines(owned, lang)}
    return discreet.page(
        request, "mine.html", document, territory=territory, status=status, policy=pages.KEY_CSP, path="/mine"
    )


def _lines(owned: register.Owned, lang: str) -> list[tuple[str, str]]:
    """What is declared, in words; of a correction that waits, the new values."""
    draft = owned.waiting or owned.draft
    told = {**draft.as_json(), "technology": draft.technology}
    fields = [COMMON[name] for name in ("status", "year", "month", "owner_kind", "precision", "address")]
    fields += [*FACTS[draft.technology], *(COMMON[name] for name in ("words", "gain", "advice", "visitors_welcome"))]
    return [
        (say(one.column.label, lang), pages.value_words(one.column, told[one.name], {}, lang))
        for one in fields
        if told.get(one.name) not in (None, False)
    ]


def _picture(tx: Any, owned: register.Owned) -> str | None:
    if owned.photo is None:
        return None
    data = photos.private(tx, owned.photo, declaration=owned.id)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def _collection(territory: Territory) -> str | None:
    """A collection that shows every installation, to link a published entry."""
    kept = (one.id for one in territory.collections.values() if one.kind.id == "installations" and not one.filter)
    return next(kept, None)


def _simple(
    request: Request,
    house: House,
    template: str,
    document: dict[str, Any],
    *,
    status: int = 200,
    policy: str = pages.PAGE_CSP,
) -> Response:
    with house.db.read() as tx:
        territory = house.catalogue.territory(tx)
    # The same page in another language is one that a GET opens.
    path = "/mine" if template == "mine_told.html" else None
    return discreet.page(request, template, document, territory=territory, status=status, policy=policy, path=path)


def _bad_key(request: Request, house: House) -> Response:
    """One page for every key that opens nothing."""
    document = {"title": "bad_key_title", "text": "bad_key", "lost": True}
    return _simple(request, house, "mine_told.html", document, status=404)
