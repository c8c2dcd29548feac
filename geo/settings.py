"""What an operator may set, as GOHELLE_* variables, read once at the edge. Nothing else reads the environment."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL, make_url

from geo.errors import GohelleError

READER = "gohelle_reader"
SECURITY: Mapping[tuple[str, str], Literal["none", "starttls", "tls"]] = {
    ("smtp", ""): "none",
    ("smtp", "starttls"): "starttls",
    ("smtps", ""): "tls",
}
NO_SENDER = "GOHELLE_MAIL_FROM must be an address such as carte@example.fr or Mairie <carte@example.fr>"


class BadSetting(GohelleError):
    """A GOHELLE_* variable that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters are handed in; `security` says whether the connection is encrypted, and from when on."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)


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
    data: Path = Path(".data")
    jobs: bool = True
    mail_server: MailServer | None = None
    mail_from: str = "gohelle@127.0.0.1"
    form_origins: tuple[str, ...] = ()
    declarations_a_day: int = 100

    @property
    def mail_folder(self) -> Path | None:
        """Where letters are kept as files, for want of a mail server; None where there is one."""
        return None if self.mail_server else self.data.absolute() / "mail"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the variables; BadSetting names the first that cannot be used."""
        database = _database(env.get("GOHELLE_DATABASE_URL") or "postgresql:///gohelle")
        reader = env.get("GOHELLE_READER_URL")
        host = env.get("GOHELLE_HOST") or "127.0.0.1"
        port = _integer(env, "GOHELLE_PORT", 8000, 1, 65535)
        public_url = _public(env.get("GOHELLE_PUBLIC_URL") or f"http://{_shown(host)}:{port}")
        return cls(
            database_url=database,
            reader_url=_database(reader) if reader else reader_of(database),
            host=host,
            port=port,
            public_url=public_url,
            workers=_integer(env, "GOHELLE_WORKERS", suitable_workers(), 1, 64),
            trusted_proxies=_proxies(env.get("GOHELLE_TRUSTED_PROXIES", "")),
            basemap=env.get("GOHELLE_BASEMAP", ""),
            log_format=env.get("GOHELLE_LOG_FORMAT") or "text",
            pool_size=_integer(env, "GOHELLE_POOL_SIZE", 10, 2, 200),
            memory_mb=_integer(env, "GOHELLE_MEMORY_MB", 64, 0, 65_536),
            pack=Path(env.get("GOHELLE_PACK") or Path(__file__).parent.parent / "seed" / "loos-en-gohelle"),
            data=Path(env.get("GOHELLE_DATA") or Path(__file__).parent.parent / ".data").expanduser(),
            jobs=_switch(env, "GOHELLE_JOBS"),
            mail_server=mail_server(env["GOHELLE_SMTP_URL"]) if env.get("GOHELLE_SMTP_URL") else None,
            mail_from=_sender(env.get("GOHELLE_MAIL_FROM") or f"gohelle@{urlsplit(public_url).hostname}"),
            form_origins=_origins(env.get("GOHELLE_FORM_ORIGINS", "")),
            declarations_a_day=_integer(env, "GOHELLE_DECLARATIONS_A_DAY", 100, 0, 1_000_000),
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


def mail_server(text: str) -> MailServer:
    """The mail server of an address such as smtp://user:password@host:587?starttls; BadSetting where it cannot be used."""
    wrong = BadSetting("GOHELLE_SMTP_URL must be smtp://host, smtp://user:password@host?starttls or smtps://…")
    try:
        parts = urlsplit(text)
        host, port, security = parts.hostname, parts.port, SECURITY[parts.scheme, parts.query]
    except (KeyError, ValueError) as error:
        raise wrong from error
    if not host or parts.path.strip("/") or parts.fragment:
        raise wrong
    if parts.password and security == "none" and not _on_this_machine(host):
        raise BadSetting("GOHELLE_SMTP_URL would send its password in the clear: use ?starttls or smtps://")
    return MailServer(
        host=host,
        port=port or {"none": 25, "starttls": 587, "tls": 465}[security],
        security=security,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sender(text: str) -> str:
    """An address, with or without a name before it."""
    try:
        _, address = parseaddr(text)
        found = Address(addr_spec=address)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise BadSetting(NO_SENDER) from error
    if not found.username or not found.domain or any(ord(char) < 32 for char in text):
        raise BadSetting(NO_SENDER)
    return text


def _proxies(text: str) -> str:
    """Addresses and networks, with commas. Not `*`: then the first word of X-Forwarded-For counts, which anybody writes."""
    found = [one.strip() for one in text.split(",") if one.strip()]
    for one in found:
        try:
            ip_network(one)
        except ValueError as error:
            raise BadSetting(
                "GOHELLE_TRUSTED_PROXIES must list the proxies' addresses or networks, such as 127.0.0.1,10.0.0.0/8"
            ) from error
    return ",".join(found)


def _switch(env: Mapping[str, str], name: str) -> bool:
    if (env.get(name) or "on") not in ("on", "off"):
        raise BadSetting(f"{name} must be on or off")
    return env.get(name) != "off"


def _origins(text: str) -> tuple[str, ...]:
    """The origins of other sites' forms, as browsers name them; `*` stands for all."""
    found = tuple(one.rstrip("/").lower() for one in text.replace(",", " ").split())
    for one in found:
        parts = urlsplit(one)
        if one != "*" and (parts.scheme not in ("http", "https") or one != f"{parts.scheme}://{parts.netloc}"):
            raise BadSetting("GOHELLE_FORM_ORIGINS must be origins such as https://www.example.fr, or *")
    return found


def _shown(host: str) -> str:
    """The address that a browser on this machine uses for what the service listens on."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 (only compared)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
