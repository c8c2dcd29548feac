"""Photos of declarations: taken in through the darkroom, kept in the database, deleted with their row."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import NotFound, Unavailable
from geo.register.draft import BadDraft, Fault

LARGEST = 10_000_000
"""Bytes of a photo as it is sent."""

SECONDS = 30
PATIENCE = 10
"""Seconds to wait for a place in the darkroom: those who wait hold a thread each, which others need for their maps."""

ROOT = Path(__file__).parent.parent.parent
_places = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One photo, developed: two JPEGs, and the large one's size in pixels."""

    large: bytes
    small: bytes
    width: int
    height: int


def develop(data: bytes) -> Photo:
    """Make a photo of what was sent: JPEG, PNG, WebP or HEIC. BadDraft says what is wrong with it.

    The file is decoded in a process of its own, two at a time; Unavailable where both are busy for long.
    """
    if not data:
        raise BadDraft(Fault("photo", "photo_empty"))
    if len(data) > LARGEST:
        raise BadDraft(Fault("photo", "photo_large"))
    if not _places.acquire(timeout=PATIENCE):
        raise Unavailable("too many photos are being looked at; try again in a moment")
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "geo.register.darkroom"],
            cwd=ROOT,
            input=data,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={"PATH": "/usr/bin:/bin"},  # it needs to know nothing of ours
        ).stdout
    except subprocess.TimeoutExpired:
        answer = b""
    finally:
        _places.release()
    return _read(answer)


def keep(tx: Connection, id: UUID, photo: Photo, *, waiting: bool, now: datetime) -> None:
    """Keep the photo of a declaration, instead of the one before; a `waiting` one belongs to an amendment."""
    tx.execute(text(_REMOVE), {"id": id, "waiting": waiting})
    values = {"id": id, "waiting": waiting, "now": now}
    sizes = {"large": photo.large, "small": photo.small, "width": photo.width, "height": photo.height}
    tx.execute(text(_KEEP), values | sizes)


def remove(tx: Connection, id: UUID) -> None:
    """Delete all photos of a declaration, in the register and in public, at once."""
    tx.execute(text("delete from register.photos where declaration = :id"), {"id": id})
    tx.execute(text(_UNSHOW), {"id": id})


def public(tx: Connection, id: UUID, *, small: bool) -> bytes:
    """The JPEG of a photo that anybody may see; NotFound if there is none."""
    return _one(tx, f"select {'small' if small else 'large'} from territory.photos where id = :id", id)


def private(tx: Connection, id: UUID, *, declaration: UUID) -> bytes:
    """The large JPEG of a declaration's own photo, for its owner and for the town; NotFound if there is none."""
    sql = "select large from register.photos where id = :id and declaration = :declaration"
    return _one(tx, sql, id, declaration=declaration)


def _one(tx: Connection, sql: str, id: UUID, **more: UUID) -> bytes:
    found = tx.execute(text(sql), {"id": id, **more}).scalar_one_or_none()
    if found is None:
        raise NotFound("there is no such photo")
    return bytes(found)


def _read(answer: bytes) -> Photo:
    head, _, body = answer.partition(b"\n")
    word, *sizes = head.decode("ascii", "replace").split()[:5] or [""]
    if word != "ok":
        # No answer at all: the process ran into its limits.
        raise BadDraft(Fault("photo", word if word in ("photo_pixels", "photo_kind") else "photo_broken"))
    width, height, first, second = map(int, sizes)
    return Photo(large=body[:first], small=body[first : first + second], width=width, height=height)


_REMOVE = "delete from register.photos where declaration = :id and waiting = :waiting"

_KEEP = """
insert into register.photos (declaration, waiting, large, small, width, height, at)
values (:id, :waiting, :large, :small, :width, :height, :now)
"""

_UNSHOW = """
with gone as (
  delete from territory.photos p using register.declarations d where d.id = :id and p.installation = d.public_id)
update territory.installations t set photo = null from register.declarations d
where d.id = :id and t.id = d.public_id and t.photo is not null
"""
