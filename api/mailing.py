"""How a letter leaves the house: handed to the mail server, or kept as a file where there is none.

A failure is told as a code without the server's words, which may quote the address.
"""

import os
import re
import smtplib
import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from api.letters import Letter
from geo.settings import MailServer, Settings

TIMEOUT_SECONDS = 20
FILES_KEPT = timedelta(days=7)


class Postponed(Exception):
    """The letter cannot be delivered now; the message is a code."""


class Refused(Exception):
    """The letter will never be delivered as it is; the message is a code."""


def host(settings: Settings) -> str:
    """The name of this house among mail servers."""
    return urlsplit(settings.public_url).hostname or "localhost"


def envelope(
    letter: Letter, *, to: str, message_id: str, settings: Settings, sender: str, now: datetime
) -> EmailMessage:
    """The letter as a message, from `sender` where the operator's address has no name. Refused: `to` is no address."""
    name, address = parseaddr(settings.mail_from)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=name or sender, addr_spec=address)
    message["To"] = recipient(to)
    message["Subject"] = letter.subject
    message["Date"] = now
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message


def recipient(text: str) -> Address:
    """One address and nothing else: no second one, no further header. Refused where it is none."""
    local, _, domain = text.strip().rpartition("@")
    try:
        if any(ord(char) < 33 for char in local + domain):
            raise Refused("address")
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        return Address(addr_spec=f"{local}@{domain}")
    except (HeaderParseError, ValueError, IndexError) as error:
        raise Refused("address") from error


def deliver(message: EmailMessage, *, id: UUID, settings: Settings) -> None:
    """Hand the message over. Postponed or Refused where that failed; afterwards it is on its way."""
    if settings.mail_server:
        _send(message, settings.mail_server, host(settings))
    elif settings.mail_folder:
        _keep(message, settings.mail_folder / f"{id}.eml")


def shred(settings: Settings, ids: Iterable[str]) -> None:
    """Delete the files that these letters became."""
    if settings.mail_folder:
        for id in ids:
            (settings.mail_folder / f"{UUID(id)}.eml").unlink(missing_ok=True)


def clear(settings: Settings, *, now: datetime) -> None:
    """Delete the files that are older than a week."""
    folder = settings.mail_folder
    for file in folder.glob("*.eml*") if folder else ():
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < (now - FILES_KEPT).timestamp():
                file.unlink()


# The mail server


def _send(message: EmailMessage, server: MailServer, name: str) -> None:
    try:
        session = _connected(server, name)
    except smtplib.SMTPResponseException as error:  # the server's state, or our settings: no letter is to blame
        raise Postponed(_code(error.smtp_code, error.smtp_error)) from None
    except (smtplib.SMTPException, OSError) as error:
        raise Postponed(_kind(error)) from None
    try:
        session.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise _verdict(error) from None
    finally:
        # After its "250" the letter is the server's: however the goodbye goes, it must not be sent again.
        with suppress(smtplib.SMTPException, OSError):
            session.quit()


def _connected(server: MailServer, name: str) -> smtplib.SMTP:
    greeting = {"local_hostname": f"[{name}]" if _is_number(name) else name, "timeout": TIMEOUT_SECONDS}
    if server.security == "tls":
        session = smtplib.SMTP_SSL(server.host, server.port, context=ssl.create_default_context(), **greeting)
    else:
        session = smtplib.SMTP(server.host, server.port, **greeting)
    try:
        if server.security == "starttls":
            session.starttls(context=ssl.create_default_context())
        if server.user:
            session.login(server.user, server.password or "")
    except BaseException:
        session.close()
        raise
    return session


def _verdict(error: Exception) -> Exception:
    """A 5xx about the recipient or the letter is final; whatever else happens may pass."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return (Refused if code >= 500 else Postponed)(_code(code, said))
    if isinstance(error, smtplib.SMTPResponseException):
        final = error.smtp_code >= 500 and isinstance(error, smtplib.SMTPDataError)
        return (Refused if final else Postponed)(_code(error.smtp_code, error.smtp_error))
    return Postponed(_kind(error))


def _code(code: int, said: bytes | str) -> str:
    """550 5.1.1, and not a word more."""
    words = said.decode("latin-1") if isinstance(said, bytes) else said
    enhanced = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", words)
    return f"{code} {enhanced[1]}" if enhanced else str(code)


def _kind(error: Exception) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()


def _is_number(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


# Files


def _keep(message: EmailMessage, file: Path) -> None:
    """The message as a file that only its owner may read; whole, or not at all."""
    made = file.with_suffix(".eml.partial")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.unlink(missing_ok=True)
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(message.as_bytes())
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(file)
    except OSError as error:
        raise Postponed(f"file: {error.strerror}") from None
