"""A mail server that is one, for tests: what it took lies in a list, and it can be told to answer otherwise."""

import email
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from geo.settings import MailServer
from tests.conftest import free_port

Answer = Callable[[str], str]
"""From a verb and what it is about, such as `RCPT a@b.fr`, to the server's answer."""


@dataclass
class Mailbox:
    """All that the server took, in order; `answer` may refuse."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer: Answer = field(default=lambda _: "250 OK")

    @property
    def url(self) -> str:
        """What GOHELLE_SMTP_URL takes."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def server(self) -> MailServer:
        """The same as a setting."""
        return MailServer(host="127.0.0.1", port=self.port, security="none")

    def to(self, address: str) -> list[EmailMessage]:
        """The messages for an address."""
        return [one for one in self.messages if one["To"] == address]

    # What aiosmtpd calls

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        answer = self.answer(f"RCPT {address}")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message, or not."""
        answer = self.answer("DATA")
        if answer.startswith("2"):
            self.messages.append(parsed(envelope.content))
            self.recipients += envelope.rcpt_tos
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Say goodbye, or something else."""
        answer = self.answer("QUIT")
        return "221 Bye" if answer.startswith("2") else answer


def parsed(content: Any) -> EmailMessage:
    """The bytes of a mail as a message."""
    return email.message_from_bytes(bytes(content), policy=default)  # pyright: ignore[reportReturnType, reportArgumentType]


def files(folder: Path) -> list[EmailMessage]:
    """The letters that were kept as files."""
    return [parsed(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]


def text(message: EmailMessage, kind: str = "plain") -> str:
    """A message's text, or its HTML."""
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


@contextmanager
def serving(port: int | None = None, mailbox: Mailbox | None = None) -> Iterator[Mailbox]:
    """A mail server on loopback for as long as the block runs; on another's port and with its letters, it is back."""
    mailbox = mailbox or Mailbox(port or free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
