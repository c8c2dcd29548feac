"""`gohelle work`: the process that sends letters and keeps the house tidy. What is tidied is said by geo and mailing."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from uuid import UUID

import structlog

from api import letters, mailing
from api.logs import forward
from geo.collections import territory as read_territory
from geo.db import Database
from geo.errors import Unavailable
from geo.planning import jobs as planning
from geo.register import access, flags, jobs, keys, limits, outbox, retention, sums
from geo.register.jobs import Periodic
from geo.register.outbox import LETTERS, TRACELESS, Outgoing
from geo.settings import Settings

AFTER_A_FAULT = timedelta(minutes=5)
"""When a job is tried again that failed by our own mistake."""

AFTER_AN_OUTAGE = timedelta(seconds=5)
PATIENCE_SECONDS = 30
"""How long a delivered letter waits for a database that is away, before it must be sent again."""

PAUSES = (1, 2, 5, 15)
"""Seconds between tries to reach a database that is away; the last again and again."""

CHORES: Mapping[str, Callable[..., object]] = {
    "limits": limits.forget,
    "letters": outbox.clear,
    "strays": lambda tx, now: outbox.hand_over_strays(tx),  # noqa: ARG005 (all chores are told the time)
    "keys": keys.forget_expired,
    "drafts": retention.forget_drafts,
    "past": retention.forget_past,
    "silent": retention.forget_silent,
    "owners": retention.ask_owners,
    "receipts": retention.forget_receipts,
    "sums": sums.refresh,
    "sessions": access.forget_ended,
    "reports": flags.forget_old,
    "questions": planning.forget,
}
"""What is done each hour, each in a transaction of its own; one that was missed is made up for by the next."""

log = structlog.get_logger()


class Workshop:
    """The tasks of one worker process, each done in a thread."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Nothing is connected yet."""
        self.settings = settings
        self.db = Database(settings)
        self.clock = clock

    @property
    def tasks(self) -> Mapping[str, jobs.Task]:
        """What a job of each name does."""
        return {
            "mail": partial(self._minding, self.mail),
            "shred": partial(self._minding, self.shred),
            planning.TASK: partial(self._minding, self.plan),
        }

    @property
    def periodic(self) -> list[Periodic]:
        """What is done by the clock."""
        return [Periodic(name="tidy", cron="7 * * * *", task=self.tidy)]

    def plan(self, job: str) -> None:
        """Answer a planner's question."""
        planning.work(self.db, UUID(job), clock=self.clock)

    def mail(self, letter: str) -> timedelta | None:
        """Send one letter; how long to wait where it could not be sent now."""
        id = UUID(letter)
        with self.db.write() as tx:
            outgoing = outbox.take(tx, id, domain=mailing.host(self.settings), now=self.clock())
        if outgoing is None:
            return None
        try:
            message = self._written(outgoing)
            if not (outgoing.letter in TRACELESS and self.settings.mail_folder):  # a file would be a trace
                mailing.deliver(message, id=id, settings=self.settings)
        except mailing.Postponed as failure:
            with self.db.write() as tx:
                wait = outbox.postponed(tx, id, failure=str(failure), now=self.clock())
            log.warning("letter postponed", letter=outgoing.letter, id=letter, failure=str(failure), wait=str(wait))
            return wait
        except mailing.Refused as failure:
            with self.db.write() as tx:
                outbox.refused(tx, id, failure=str(failure), now=self.clock())
            log.warning("letter refused", letter=outgoing.letter, id=letter, failure=str(failure))
            return None
        self._note_sent(id)
        log.info("letter sent", letter=outgoing.letter, id=letter)
        return None

    def shred(self, letters: list[str]) -> None:
        """Delete the files of letters whose declaration is erased."""
        mailing.shred(self.settings, letters)

    def tidy(self) -> None:
        """Do all chores; one that fails keeps none of the others back."""
        for name, chore in CHORES.items():
            try:
                with self.db.write() as tx:
                    chore(tx, now=self.clock())
            except Exception:
                log.exception("chore failed", chore=name)
        mailing.clear(self.settings, now=self.clock())

    def _written(self, outgoing: Outgoing) -> EmailMessage:
        """The letter in its envelope."""
        with self.db.read() as tx:
            body = read_territory(tx).body
        signature = body.get("contact", {}).get("name") or body["attribution"]
        purpose = LETTERS[outgoing.letter]
        link = None
        if purpose and outgoing.token:
            link = letters.link(self.settings.public_url, purpose, outgoing.token, outgoing.language)
        letter = letters.write(
            outgoing.letter,
            outgoing.language,
            details=outgoing.details,
            link=link,
            title=body["title"],
            signature=signature,
        )
        return mailing.envelope(
            letter,
            to=outgoing.address,
            message_id=outgoing.message_id,
            settings=self.settings,
            sender=signature,
            now=self.clock(),
        )

    def _note_sent(self, id: UUID) -> None:
        """The letter is the server's now: try hard to say so, for what is not noted is sent again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self.db.write() as tx:
                    known = outbox.sent(tx, id, now=self.clock())
                if not known:  # its declaration was erased while it was written
                    mailing.shred(self.settings, [str(id)])
                return
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _minding(self, task: jobs.Task, **ids: object) -> timedelta | None:
        """Do a task; what fails by our own mistake, or for want of the database, is told and tried again later."""
        try:
            return task(**ids)
        except Unavailable:
            return AFTER_AN_OUTAGE
        except Exception:
            log.exception("job failed", **ids)
            return AFTER_A_FAULT


def run(settings: Settings, *, lifeline: bool = False) -> None:
    """Work until told to stop: by SIGTERM, by Ctrl-C or, with a lifeline, by the end of standard input."""
    with suppress(OSError):
        os.nice(10)  # whoever looks at the map goes first
    forward("procrastinate", "psycopg.pool")
    workshop = Workshop(settings)
    try:
        asyncio.run(_work(workshop, lifeline=lifeline))
    finally:
        workshop.db.close()


async def _work(workshop: Workshop, *, lifeline: bool) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, told.set)
    if lifeline:
        threading.Thread(target=_hold, args=(loop, told), daemon=True).start()
    failures = 0
    while not told.is_set():
        began = time.monotonic()
        await _work_once(workshop, told)
        failures = 0 if time.monotonic() - began > 60 else failures + 1
        if not told.is_set():
            pause = PAUSES[min(failures, len(PAUSES)) - 1]
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), pause)


async def _work_once(workshop: Workshop, told: asyncio.Event) -> None:
    """Until told to stop, or until the database goes away."""
    try:
        await jobs.work(workshop.settings, workshop.tasks, workshop.periodic, told=told)
    except Unavailable as error:
        log.warning("unavailable", reason=str(error))


def _hold(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    """Whoever holds the other end of standard input is gone when it ends, however that came."""
    with suppress(OSError):
        while sys.stdin.buffer.read(1):
            """Nobody writes; if somebody does, it means nothing."""
    with suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(told.set)
