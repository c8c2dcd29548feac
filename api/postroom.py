"""`gohelle outbox`: what became of the letters, for operators. Of an address only where it goes to is shown."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from geo.db import Database
from geo.errors import GohelleError
from geo.register import jobs, outbox
from geo.settings import Settings

app = typer.Typer(help="Letters that wait to be sent, or could not be.", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True, width=200)


class Unnamed(GohelleError):
    """Neither a letter nor all of them."""


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="waiting, sending, sent or failed [all but sent].")] = None,
) -> None:
    """The letters that are not sent, oldest first, and why."""
    db = Database(Settings.from_env())
    with db.write() as tx:
        found, tally, alive = outbox.entries(tx, state=state), outbox.tally(tx), jobs.alive(tx)
    db.close()
    table = Table("id", "letter", "state", "to", "written", "attempts", "last", "failure")
    for one in found:
        moments = [moment.strftime("%Y-%m-%d %H:%M") if moment else "" for moment in (one.queued_at, one.tried_at)]
        table.add_row(
            str(one.id), one.letter, one.state, one.domain, moments[0], str(one.attempts), moments[1], one.failure
        )
    out.print(table)
    out.print(f"{tally.waiting} wait, {tally.failed} failed; {'a worker runs' if alive else 'no worker runs'}")


@app.command()
def retry(
    id: Annotated[UUID | None, typer.Argument(help="One letter.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that failed.")] = False,
) -> None:
    """Try again to send a letter that failed, or all of them."""
    if id is None and not all_:
        raise Unnamed("name a letter, or say --all")
    db = Database(Settings.from_env())
    with db.write() as tx:
        count = outbox.retry(tx, id, now=datetime.now(UTC))
    db.close()
    out.print(f"{count} letters will be sent again")


@app.command()
def drop(id: UUID) -> None:
    """Delete a letter that is not sent."""
    db = Database(Settings.from_env())
    with db.write() as tx:
        outbox.drop(tx, id)
    db.close()
    out.print("deleted")
