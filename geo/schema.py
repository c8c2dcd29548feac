"""Bringing a database to the shape that this version of the software needs, and telling whether it has it."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection

from geo.errors import GohelleError
from geo.settings import READER, Settings, conninfo

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class NoReader(GohelleError):
    """The reading login has another password than the service thinks, and cannot be given it."""


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Run the migrations that the database lacks; a second runner waits for the first."""
    command.upgrade(_config(settings.database_url), revision)
    if settings.reader_url.password:
        _give_password(settings)


def downgrade(settings: Settings, revision: str = "base") -> None:
    """Undo migrations; at `base` the database holds nothing of ours."""
    command.downgrade(_config(settings.database_url), revision)


def expected() -> str:
    """The revision that this version of the software was written for."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def knows(revision: str) -> bool:
    """Whether this version of the software has that revision, or one built upon it."""
    return any(one.revision == revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def found(tx: Connection) -> str | None:
    """The revision of the database, or None where nothing was migrated yet."""
    if tx.scalar(text("select to_regclass('gohelle_migrations')")) is None:
        return None
    return tx.scalar(text("select version_num from gohelle_migrations"))


def _config(url: URL) -> Config:
    config = Config(attributes={"url": url})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _give_password(settings: Settings) -> None:
    """The reader's password follows from the service's own: set where it does not fit, so that a changed one heals.

    Where the reader can log in, nothing is done: a service's login may not alter other roles, and need not.
    """
    if _may_log_in(settings.reader_url):
        return
    try:
        with psycopg.connect(conninfo(settings.database_url), connect_timeout=5) as connection:
            connection.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(READER), sql.Literal(settings.reader_url.password)
                )
            )
    except psycopg.Error as error:
        raise NoReader(
            f"the role {READER} does not take the password that follows from the service's own, and this login may not "
            "set it: let a superuser do so, as script/compose/roles.sh does"
        ) from error


def _may_log_in(url: URL) -> bool:
    try:
        psycopg.connect(conninfo(url), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
