"""Handing letters over: to a real mail server that takes, refuses, delays or is dead; and as files."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from api import mailing
from api.letters import Letter
from api.mailing import Postponed, Refused
from geo.settings import BadSetting, MailServer, Settings, mail_server
from tests.conftest import free_port
from tests.mailbox import files, serving, text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LETTER = Letter(subject="Déjà là · Übergänge", text="Où ça ? Là-bas, déjà œuvré.\n.\n", html="<p>Où ça ? Là-bas</p>")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No mail server yet."""
    given = {"GOHELLE_PUBLIC_URL": "https://carte.example.fr", "GOHELLE_DATA": str(tmp_path)}
    return Settings.from_env(given)


def send(settings: Settings, to: str = "jeanne@example.fr", letter: Letter = LETTER) -> None:
    """Deliver one letter."""
    message = mailing.envelope(letter, to=to, message_id="<1@example.fr>", settings=settings, sender="Mairie", now=NOW)
    mailing.deliver(message, id=uuid4(), settings=settings)


def test_accents_arrive(settings: Settings):
    """In the subject, the text, the HTML and the sender's name; a line that is a dot is a line."""
    with serving() as mailbox:
        send(replace(settings, mail_server=mailbox.server, mail_from="Mairie de Liévin <carte@example.fr>"))
    [message] = mailbox.messages
    assert (message["Subject"], message["From"]) == (LETTER.subject, "Mairie de Liévin <carte@example.fr>")
    assert (message["To"], message["Message-ID"]) == ("jeanne@example.fr", "<1@example.fr>")
    assert text(message) == LETTER.text
    assert text(message, "html").strip() == LETTER.html
    assert message["Date"].datetime == NOW


@pytest.mark.parametrize(
    "address",
    [
        "jeanne@example.fr\r\nBcc: eve@example.com",
        "jeanne@example.fr\nSubject: x",
        "jeanne@example.fr, eve@example.com",
        "jeanne@example.fr eve@example.com",
        "Jeanne <jeanne@example.fr>",
        "jeanne",
        "@example.fr",
        "jeanne@",
        "",
        "a@b@example.fr",
        "jeanne\x00@example.fr",
        "jé@example.fr",
        "\ud800@example.fr",
        "jeanne@" + "é" * 300 + ".fr",
    ],
)
def test_an_address_brings_neither_headers_nor_other_recipients(settings: Settings, address: str):
    """Whatever is not one plain address is refused before any server hears of it."""
    with serving() as mailbox:
        with pytest.raises(Refused) as refused:
            send(replace(settings, mail_server=mailbox.server), address)
        assert str(refused.value) == "address"
        assert mailbox.recipients == []


def test_a_subject_brings_no_headers(settings: Settings):
    """The territory's title is a pack's; a line break in it would be a fault of ours, and is not sent."""
    with pytest.raises(ValueError, match="linefeed"):
        send(settings, letter=replace(LETTER, subject="Bonjour\r\nBcc: eve@example.com"))


def test_a_domain_with_accents_is_written_for_machines(settings: Settings):
    """Servers need no extension for it."""
    with serving() as mailbox:
        send(replace(settings, mail_server=mailbox.server), "jeanne@liévin.example")
    assert mailbox.recipients == ["jeanne@xn--livin-csa.example"]


def only(verb: str, answer: str) -> Callable[[str], str]:
    """A server that answers so to one verb, and 250 otherwise."""
    return lambda line: answer if line.startswith(verb) else "250 OK"


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [
        (only("RCPT", "550 5.1.1 no jeanne@example.fr here"), Refused, "550 5.1.1"),
        (only("RCPT", "450 4.2.0 jeanne@example.fr greylisted"), Postponed, "450 4.2.0"),
        (only("DATA", "554 5.7.1 jeanne@example.fr takes no such letter"), Refused, "554 5.7.1"),
        (only("DATA", "452 too many letters"), Postponed, "452"),
    ],
)
def test_what_a_server_says_is_kept_as_a_code(
    settings: Settings, answer: Callable[[str], str], verdict: type[Exception], code: str
):
    """5xx is final, 4xx is not; the words, which quote the address, go nowhere."""
    with serving() as mailbox:
        mailbox.answer = answer
        with pytest.raises(verdict) as told:
            send(replace(settings, mail_server=mailbox.server))
    assert str(told.value) == code
    assert told.value.__cause__ is None
    assert mailbox.messages == []


def test_after_its_250_a_letter_is_delivered_however_the_goodbye_goes(settings: Settings):
    """Else a clumsy server would get every letter again and again."""
    with serving() as mailbox:
        mailbox.answer = only("QUIT", "421 4.3.0 going down")
        send(replace(settings, mail_server=mailbox.server))
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize(("security", "code"), [("none", "connection refused"), ("tls", "connection refused")])
def test_a_dead_server_postpones(settings: Settings, security, code: str):
    """Nobody listens."""
    server = MailServer(host="127.0.0.1", port=free_port(), security=security)
    with pytest.raises(Postponed, match=code):
        send(replace(settings, mail_server=server))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_no_letter_leaves_in_the_clear_where_encryption_was_asked_for(settings: Settings, security):
    """A server that cannot, or somebody between who says so, gets nothing; a hand on our settings mends it."""
    with serving() as mailbox:
        server = replace(mailbox.server, security=security, user="u", password="p")
        with pytest.raises(Postponed):
            send(replace(settings, mail_server=server))
        assert mailbox.messages == []


def test_a_login_that_is_refused_postpones(settings: Settings):
    """A password that was changed costs no letter: each is sent when it is right again."""
    with serving() as mailbox, pytest.raises(Postponed):
        send(replace(settings, mail_server=replace(mailbox.server, user="u", password="p")))
    assert mailbox.messages == []


def test_without_a_server_letters_are_files_for_their_owner_alone(settings: Settings):
    """Whole, under the letter's own name, mode 600 whatever the umask is."""
    before = os.umask(0)
    try:
        send(settings)
    finally:
        os.umask(before)
    assert settings.mail_folder
    [file] = settings.mail_folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.mail_folder.stat().st_mode) == 0o700
    [message] = files(settings.mail_folder)
    assert (message["To"], text(message)) == ("jeanne@example.fr", LETTER.text)


def test_files_go_after_a_week_and_when_told(settings: Settings):
    """A letter of an erased declaration goes at once, any other after seven days."""
    folder = settings.mail_folder
    assert folder
    old, kept, erased = uuid4(), uuid4(), uuid4()
    for id in (old, kept, erased):
        message = mailing.envelope(
            LETTER, to="a@b.fr", message_id="<1@b.fr>", settings=settings, sender="Mairie", now=NOW
        )
        mailing.deliver(message, id=id, settings=settings)
    (folder / f"{old}.eml.partial").write_bytes(b"cut off")
    for file, days in ((f"{old}.eml", 8), (f"{old}.eml.partial", 8), (f"{kept}.eml", 6)):
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / file, (moment, moment))
    mailing.clear(settings, now=NOW)
    mailing.shred(settings, [str(erased), str(uuid4())])
    assert [file.name for file in folder.iterdir()] == [f"{kept}.eml"]


def test_a_disk_that_takes_nothing_postpones(settings: Settings):
    """The letter is not lost, and no half of it lies about."""
    (settings.data / "mail").write_text("a file where the folder should be")
    with pytest.raises(Postponed, match="file"):
        send(settings)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.fr",
        "http://mail.example.fr",
        "smtp://",
        "smtp://h/x",
        "smtp://h:99999",
        "smtp://h?tls",
        "smtp://[",
    ],
)
def test_a_mail_server_that_cannot_be_is_said_at_the_start(url: str):
    """With the name of the variable, and without what it holds."""
    with pytest.raises(BadSetting, match="GOHELLE_SMTP_URL must be"):
        mail_server(url)


def test_no_password_goes_over_the_net_in_the_clear():
    """On this machine it may."""
    with pytest.raises(BadSetting, match="in the clear"):
        mail_server("smtp://u:secret@mail.example.fr")
    assert mail_server("smtp://u:s%40cret@127.0.0.1:2525").password == "s@cret"
    assert mail_server("smtp://u:secret@mail.example.fr?starttls").port == 587
    assert "secret" not in repr(mail_server("smtps://u:secret@mail.example.fr"))


@pytest.mark.parametrize("sender", ["nobody", "<a@b.fr>\r\nBcc: c@d.fr", "a@", "a@b.fr, c@d.fr"])
def test_a_sender_that_cannot_be_is_said_at_the_start(sender: str):
    """Not at the first letter."""
    with pytest.raises(BadSetting, match="GOHELLE_MAIL_FROM"):
        Settings.from_env({"GOHELLE_MAIL_FROM": sender})
