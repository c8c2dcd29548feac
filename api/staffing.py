"""`gohelle staff`: who works at the town hall, and the keys of their programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geo.db import Database
from geo.errors import NotFound
from geo.register import access, staff
from geo.register.staff import ROLES
from geo.settings import Settings

app = typer.Typer(help="Who works at the town hall.", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="Where the links are mailed that open a session.")],
    role: Annotated[str, typer.Option(help=f"One of: {', '.join(ROLES)}.")],
    language: Annotated[str, typer.Option(help="fr, en or de.")] = "fr",
) -> None:
    """Let somebody in, or give somebody another role."""
    if role not in ROLES:
        raise typer.BadParameter(f"must be one of: {', '.join(ROLES)}", param_hint="--role")
    if language not in ("fr", "en", "de"):
        raise typer.BadParameter("must be fr, en or de", param_hint="--language")
    with _writing() as tx:
        member = staff.add(tx, email, role, language=language, now=datetime.now(UTC))
    out.print(f"{member.email} is {member.role}; they ask for a link at /townhall/login", markup=False)


@app.command()
def remove(email: Annotated[str, typer.Argument(help="The address that was added.")]) -> None:
    """Let somebody out, at once: their sessions, keys and links open nothing any more."""
    with _writing() as tx:
        staff.remove(tx, email, now=datetime.now(UTC))
    out.print("they are out; the audit trail keeps a number in the place of the address", markup=False)


@app.command("list")
def list_() -> None:
    """Everybody who works here, and the keys of their programs."""
    with _writing() as tx:
        members, keys = staff.members(tx), access.api_keys(tx)
    table = Table("address", "role", "key", "name", "until", "last used")
    for member in members:
        own = [key for key in keys if key.email == member.email]
        for key in own or [None]:
            told = (
                (key.id, key.name, f"{key.ends_at:%Y-%m-%d}", key.used_at and f"{key.used_at:%Y-%m-%d}") if key else ()
            )
            table.add_row(*(escape(str(cell or "")) for cell in (member.email, member.role, *told)))
    Console(width=200).print(table)
    out.print(f"{len(members)} people, {len(keys)} keys")


@app.command()
def key(
    email: Annotated[str, typer.Argument(help="Whose program it is.")],
    name: Annotated[str, typer.Option(help="What the program is.")] = "key",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long the key is good.")] = 365,
) -> None:
    """Make a key for a program, and show it this once: it is sent as `Authorization: Bearer KEY`."""
    with _writing() as tx:
        member = staff.find(tx, email)
        if member is None:
            raise NotFound("nobody of that address works here")
        secret = access.make_key(tx, member.id, name=name, lifetime=timedelta(days=days), now=datetime.now(UTC))
    out.print(secret, markup=False)


@app.command()
def revoke(id: Annotated[UUID, typer.Argument(help="The key's number, as `gohelle staff list` shows it.")]) -> None:
    """End a key at once."""
    with _writing() as tx:
        access.revoke_key(tx, id)
    out.print("the key opens nothing any more")


@contextmanager
def _writing() -> Iterator[Any]:
    db = Database(Settings.from_env())
    try:
        with db.write() as tx:
            yield tx
    finally:
        db.close()
