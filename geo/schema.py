"""Bringing a database to the shape that this version of the software needs, and telling whether it has it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import URL, Connection

from geo.settings import Settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"


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
    """The reader's password follows from the service's own: set, so that a changed one heals at the next migration."""
    engine = create_engine(settings.database_url, poolclass=pool.NullPool)
    with engine.begin() as tx:
        tx.execute(
            text("select set_config('gohelle.reader', :password, true)"), {"password": settings.reader_url.password}
        )
        tx.exec_driver_sql(
            "do $$ begin execute format('alter role gohelle_reader password %L', current_setting('gohelle.reader')); end $$"
        )
