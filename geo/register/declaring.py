"""The owner's side: a declaration is handed in, confirmed from the mail, corrected, withdrawn, shown to its owner, erased."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo.collections import Territory
from geo.errors import BadKey, Conflict
from geo.register import entries, keys, outbox
from geo.register.draft import EMAIL, BadDraft, Draft, Fault, place_of, read
from geo.register.lifecycle import RESIDENT, Act, Actor, note, step
from geo.register.publishing import publish, unpublish

KEY_HOURS = 24
"""How long an Idempotency-Key is remembered."""

COARSENESS = ("exact", "cell_200m", "cell_1km", "statistics")
"""From what shows most of a home to what shows least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a resident gets for a declaration: its number, and where it stands."""

    id: UUID
    state: str
    precision: str
    repeated: bool = field(default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A declaration as its owner sees it: where it stands, what it says, and what waits for a decision."""

    id: UUID
    state: str
    draft: Draft
    waiting: Draft | None
    photo: UUID | None
    reason: str | None
    public_id: int | None


def check(tx: Connection, body: Any, *, territory: Territory, now: datetime, known: bool = False) -> Draft:
    """The draft that a body means. BadDraft tells everything that is wrong at once, the territory's bounds included."""
    draft, faults = read(body, now=now, known=known)
    at = place_of(body)
    if at and not entries.communes_hold(tx, at, territory):
        faults.append(Fault("location", "outside", {"town": territory.body["title"]}))
    if draft is None or faults:
        raise BadDraft(*faults)
    return draft


def submit(tx: Connection, draft: Draft, *, now: datetime, key: str | None = None) -> Receipt:
    """Keep a declaration that was checked, and ask its owner by mail whether it was them.

    Nothing of it is public, or waits for anybody, before that. The same key with the same draft gives the receipt of
    the first time; Conflict says that the key was used for another draft.
    """
    if key is not None and (earlier := _earlier(tx, draft, key, now)) is not None:
        return earlier
    id = entries.write(tx, draft, contributor=entries.contributor(tx, draft, now=now), now=now)
    entries.agree(tx, id, draft, now=now)
    note(tx, id, "declare", actor=RESIDENT, now=now)
    details = {"technology": draft.technology}
    outbox.post(tx, "confirm", declaration=id, language=draft.language, details=details, now=now)
    if key is not None:
        _remember(tx, draft, key, id, now)
    return Receipt(id=id, state="draft", precision=draft.precision)


def confirm(tx: Connection, token: str, *, now: datetime) -> tuple[UUID, str]:
    """The owner says that it was them: the declaration waits for the town. Its number, and the key to it from now on."""
    id = keys.redeem(tx, "confirm", token, now=now, once=True)
    _own_step(tx, id, "confirm", now=now)
    keys.revoke(tx, id, "confirm")
    return id, keys.issue(tx, "owner", id, now=now)


def owned(tx: Connection, token: str, *, now: datetime) -> Owned:
    """The declaration that a key opens; BadKey if it opens none."""
    id = keys.redeem(tx, "owner", token, now=now, once=False)
    if not tx.scalar(text("select exists (select from register.declarations where id = :id)"), {"id": id}):
        raise BadKey
    row, draft = entries.read(tx, id)
    waiting = entries.pending(tx, id)
    return Owned(
        id=id,
        state=row["state"],
        draft=draft,
        waiting=waiting.draft if waiting else None,
        photo=tx.scalar(text(_PHOTO), {"id": id}),
        reason=tx.scalar(text(_REASON), {"id": id}),
        public_id=row["public_id"] if row["state"] == "published" else None,
    )


def amend(tx: Connection, token: str, draft: Draft, *, territory: Territory, now: datetime) -> str:
    """Take a correction: at once where nothing is public yet, else beside the public row until the town decides.

    Wanting to be shown less precisely is no question to the town: that is done at once. The act that it came to.
    """
    id = keys.redeem(tx, "owner", token, now=now, once=False)
    state = _state(tx, id)
    act: Act = "correct" if state == "confirmed" else "resubmit" if state in ("returned", "rejected") else "amend"
    before = _own_step(tx, id, act, now=now)
    if act != "amend":
        entries.rewrite(tx, id, draft, now=now)
        return act
    entries.wait(tx, id, draft, now=now)
    if COARSENESS.index(draft.precision) > COARSENESS.index(before["precision"]):
        _coarsen(tx, id, draft, territory=territory, public=before["state"] == "published", now=now)
    return act


def withdraw(tx: Connection, token: str, *, now: datetime) -> None:
    """Take the declaration out of everything public, at once."""
    id = keys.redeem(tx, "owner", token, now=now, once=False)
    _own_step(tx, id, "withdraw", now=now)
    take_down(tx, id)


def take_down(tx: Connection, id: UUID) -> None:
    """What a withdrawal means: no public row, no amendment, and no count in a sum."""
    unpublish(tx, id, for_good=True)
    tx.execute(text("delete from register.amendments where declaration = :id"), {"id": id})
    tx.execute(text("delete from register.photos where declaration = :id and waiting"), {"id": id})


def renew(tx: Connection, token: str, *, now: datetime) -> None:
    """The owner says that it is still right: it stays for another year."""
    id = keys.redeem(tx, "owner", token, now=now, once=False)
    _own_step(tx, id, "renew", now=now)


def erase(tx: Connection, token: str, *, now: datetime) -> None:
    """Forget the declaration: nothing of it stays but the number of its public row, if it had one."""
    forget(tx, keys.redeem(tx, "owner", token, now=now, once=False), actor=RESIDENT, now=now)


def forget(tx: Connection, id: UUID, *, actor: Actor, now: datetime) -> None:
    """Erase a declaration in the name of whoever may: rows, keys, letters, photos, trail, and its person if nothing else is theirs."""
    row, _ = step(tx, id, "erase", actor=actor, now=now)
    unpublish(tx, id, for_good=True)
    outbox.forget(tx, id)
    keys.revoke(tx, id)
    tx.execute(text("delete from register.audit where declaration = :id"), {"id": id})
    tx.execute(text("delete from register.declarations where id = :id"), {"id": id})
    tx.execute(text(_FORGET_PERSON), {"id": row["contributor"]})


def held(tx: Connection, token: str, *, now: datetime) -> dict[str, Any]:
    """Everything that is kept about a declaration, for its owner: as JSON, with the trail of who did what and when.

    Members of staff are named by their role alone.
    """
    id = keys.redeem(tx, "owner", token, now=now, once=False)
    row, draft = entries.read(tx, id)
    waiting = entries.pending(tx, id)
    return {
        "id": str(id),
        "state": row["state"],
        "email": tx.scalar(text("select email from register.contributors where id = :id"), {"id": row["contributor"]}),
        "declaration": draft.as_json(),
        "amendment": waiting and waiting.draft.as_json(),
        "public_item": row["public_id"],
        **{name: row[name] and row[name].isoformat() for name in ("received_at", "decided_at", "acted_at", "asked_at")},
        **{name: _rows(tx, sql, id) for name, sql in _HELD.items()},
    }


def ask_again(tx: Connection, email: str, *, now: datetime) -> None:
    """Send the owner's links of everything that was declared with an address; for others nothing happens, and alike."""
    address = email.strip().lower()
    if not EMAIL.fullmatch(address):
        return
    for row in tx.execute(text(_OF_PERSON), {"email": address}).mappings():
        letter = "confirm" if row["state"] == "draft" else "lost_link"
        details = {"technology": row["technology"]}
        outbox.post(tx, letter, declaration=row["id"], language=row["language"], details=details, now=now)


def _own_step(tx: Connection, id: UUID, act: Act, *, now: datetime) -> RowMapping:
    row, _ = step(tx, id, act, actor=RESIDENT, now=now)
    return row


def _state(tx: Connection, id: UUID) -> str | None:
    return tx.scalar(text("select state from register.declarations where id = :id for update"), {"id": id})


def _coarsen(tx: Connection, id: UUID, draft: Draft, *, territory: Territory, public: bool, now: datetime) -> None:
    tx.execute(
        text("update register.declarations set precision = :precision where id = :id"),
        {"id": id, "precision": draft.precision},
    )
    entries.agree(tx, id, draft, now=now)
    if public:
        publish(tx, id, territory=territory)


def _rows(tx: Connection, sql: str, id: UUID) -> Sequence[dict[str, Any]]:
    return [dict(row) for row in tx.execute(text(sql), {"id": id}).mappings()]


def _hash(draft: Draft) -> bytes:
    return hashlib.sha256(json.dumps(asdict(draft), sort_keys=True).encode()).digest()


def _earlier(tx: Connection, draft: Draft, key: str, now: datetime) -> Receipt | None:
    """The receipt that this key got before; a second request with the same key waits here for the first."""
    hashed = hashlib.sha256(key.encode()).digest()
    tx.execute(text("select pg_advisory_xact_lock(:one)"), {"one": int.from_bytes(hashed[:8], signed=True)})
    row = tx.execute(text(_EARLIER), {"key": hashed, "since": now - timedelta(hours=KEY_HOURS)}).one_or_none()
    if row is None:
        return None
    if bytes(row.body_hash) != _hash(draft):
        raise Conflict("this Idempotency-Key was used for another declaration")
    return Receipt(id=row.id, state=row.state, precision=row.precision, repeated=True)


def _remember(tx: Connection, draft: Draft, key: str, id: UUID, now: datetime) -> None:
    values = {"key": hashlib.sha256(key.encode()).digest(), "body": _hash(draft), "id": id, "now": now}
    tx.execute(text(_REMEMBER), values)


_EARLIER = """
select i.body_hash, d.id, d.state, d.precision from register.idempotency i
join register.declarations d on d.id = i.declaration where i.key_hash = :key and i.at > :since
"""

_REMEMBER = """
insert into register.idempotency (key_hash, body_hash, declaration, at) values (:key, :body, :id, :now)
on conflict (key_hash) do update set body_hash = :body, declaration = :id, at = :now
"""

_PHOTO = "select id from register.photos where declaration = :id order by waiting desc limit 1"

_REASON = """
select reason from register.audit where declaration = :id and reason is not null
  and act in ('reject', 'return', 'hide', 'reject_amendment') order by id desc limit 1
"""

_FORGET_PERSON = """
delete from register.contributors c where c.id = :id
  and not exists (select from register.declarations d where d.contributor = c.id)
"""

_OF_PERSON = """
select d.id, d.state, d.technology, d.language from register.declarations d
join register.contributors c on c.id = d.contributor where c.email = :email order by d.received_at limit 50
"""

_HELD = {
    "consents": """
        select c.purpose, c.version, t.texts, to_char(c.given_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as given_at,
               to_char(c.revoked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as revoked_at
        from register.consents c join register.consent_texts t using (version) where c.declaration = :id
        order by c.given_at, c.purpose""",
    "photos": "select id::text, waiting, width, height from register.photos where declaration = :id order by waiting",
    "trail": """
        select act, split_part(actor, ':', 1) as actor, reason,
               to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
        from register.audit where declaration = :id order by id""",
}
