"""What an operator may set, as GOHELLE_* variables, read once at the edge. Nothing else reads the environment."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL, make_url

from geo.errors import GohelleError

READER = "gohelle_reader"


class BadSetting(GohelleError):
    """A GOHELLE_* variable that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One value a variable; `GOHELLE_PUBLIC_URL` is `public_url`, and so on."""

    database_url: URL
    reader_url: URL
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    workers: int = 1
    trusted_proxies: str = ""
    basemap: str = ""
    log_format: str = "text"
    pool_size: int = 10
    memory_mb: int = 64
    pack: Path = Path("seed/loos-en-gohelle")

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the variables; BadSetting names the first that cannot be used."""
        database = _database(env.get("GOHELLE_DATABASE_URL") or "postgresql:///gohelle")
        reader = env.get("GOHELLE_READER_URL")
        host = env.get("GOHELLE_HOST") or "127.0.0.1"
        port = _integer(env, "GOHELLE_PORT", 8000, 1, 65535)
        return cls(
            database_url=database,
            reader_url=_database(reader) if reader else reader_of(database),
            host=host,
            port=port,
            public_url=_public(env.get("GOHELLE_PUBLIC_URL") or f"http://{_shown(host)}:{port}"),
            workers=_integer(env, "GOHELLE_WORKERS", suitable_workers(), 1, 64),
            trusted_proxies=env.get("GOHELLE_TRUSTED_PROXIES", ""),
            basemap=env.get("GOHELLE_BASEMAP", ""),
            log_format=env.get("GOHELLE_LOG_FORMAT") or "text",
            pool_size=_integer(env, "GOHELLE_POOL_SIZE", 10, 2, 200),
            memory_mb=_integer(env, "GOHELLE_MEMORY_MB", 64, 0, 65_536),
            pack=Path(env.get("GOHELLE_PACK") or Path(__file__).parent.parent / "seed" / "loos-en-gohelle"),
        )


def suitable_workers() -> int:
    """A process a core, four at most: each opens up to 18 of PostgreSQL's usual 100 connections."""
    return max(1, min(4, os.cpu_count() or 1))


def reader_of(database: URL) -> URL:
    """The reader's own login on the same server.

    Where logins have passwords, the reader's is derived from the service's, so that there is one secret to keep;
    `gohelle migrate` sets it.
    """
    password = database.password and hashlib.sha256(f"{READER}:{database.password}".encode()).hexdigest()
    return database.set(username=READER, password=password)


def conninfo(url: URL, *, secret: bool = True) -> str:
    """The address as libpq's programs and psycopg take it, whatever signs a password has; or without the password."""
    given = {**url.query, **url.translate_connect_args(username="user", database="dbname")}
    if not secret:
        given.pop("password", None)
    return make_conninfo(**{name: ",".join(part) if isinstance(part, tuple) else part for name, part in given.items()})


def _database(text: str) -> URL:
    try:
        url = make_url(text)
    except Exception as error:
        raise BadSetting("GOHELLE_DATABASE_URL is no database address (postgresql://user@host/name)") from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BadSetting("GOHELLE_DATABASE_URL must be the address of a PostgreSQL database")
    return url.set(drivername="postgresql+psycopg")


def _integer(env: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        raise BadSetting(f"{name} must be a whole number from {lowest} to {highest}")
    return int(text)


def _public(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise BadSetting("GOHELLE_PUBLIC_URL must be an address such as https://carte.example.fr")
    return text.rstrip("/")


def _shown(host: str) -> str:
    """The address that a browser on this machine uses for what the service listens on."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 (only compared)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
