"""Jobs in PostgreSQL: handed over in the transaction that gives the reason for them, and worked off by `work`.

The queue is procrastinate's. A job's arguments are ids, never what residents entrusted. Delivery is at least once: the
job of a worker that was killed is taken up by another, so whatever a job does must bear being done twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision, SyncPsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.errors import Unavailable
from geo.settings import Settings, conninfo

HEARTBEAT_SECONDS = 3.0
STALLED_SECONDS = 12.0
"""A worker that has not been heard of for so long counts as dead, and its jobs are taken up again."""

POLL_SECONDS = 2.0
"""New jobs are heard of at once; those that are due again are looked for this often."""

AT_ONCE = 2
"""Jobs that one worker does side by side: mail servers are slow, and the service goes first."""

_door = App(connector=SyncPsycopgConnector())
"""Never opened: it has no connection of its own, and only borrows the caller's."""

Task = Callable[..., timedelta | None]
"""What a job does, in a thread. It answers how long to wait before it is done again, or None where it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """Something to be done again and again: by the minute, in cron's five fields (UTC)."""

    name: str
    cron: str
    task: Callable[[], None]


def defer(tx: Connection, task: str, *, priority: int = 0, **ids: Any) -> None:
    """Hand a job over, in the caller's transaction: there is a job if, and only if, that is committed."""
    connection = tx.connection.driver_connection
    _door.configure_task(task, queue=task, priority=priority, connection=connection).defer(**ids)


def alive(tx: Connection) -> bool:
    """Whether some worker has been heard of lately."""
    since = "now() - make_interval(secs => :seconds)"
    query = f"select exists (select from jobs.procrastinate_workers where last_heartbeat > {since})"
    return bool(tx.scalar(text(query), {"seconds": STALLED_SECONDS}))


async def work(
    settings: Settings, tasks: Mapping[str, Task], periodic: Sequence[Periodic], *, told: asyncio.Event
) -> None:
    """Work jobs off until told to stop, then finish those that run. Unavailable where the database goes away."""
    app = App(connector=_connector(settings))
    for name, task in tasks.items():
        app.task(name=name, queue=name, retry=_AskedFor())(_asking(task))
    for one in periodic:
        scheduled = app.task(name=one.name, queue="periodic", queueing_lock=one.name)(_timed(one.task))
        app.periodic(cron=one.cron)(scheduled)
    try:
        # The pool would wait half a minute for a database that is away, and for ever if it were cancelled meanwhile.
        await (await psycopg.AsyncConnection.connect(conninfo(settings.database_url), connect_timeout=5)).close()
        async with app.open_async():
            await _until(told, app)
    except (ProcrastinateException, psycopg.Error) as error:
        raise Unavailable("the queue cannot be reached") from error


async def _until(told: asyncio.Event, app: App) -> None:
    working = asyncio.create_task(_run(app))
    others = [asyncio.create_task(_take_up(app)), asyncio.create_task(told.wait())]
    await asyncio.wait({working, others[1]}, return_when=asyncio.FIRST_COMPLETED)
    for one in (*others, working):
        one.cancel()  # the worker then finishes the jobs that run
    with suppress(asyncio.CancelledError):
        await working
    if not told.is_set():
        raise Unavailable("the queue cannot be reached")


async def _run(app: App) -> None:
    await app.run_worker_async(
        concurrency=AT_ONCE,
        fetch_job_polling_interval=POLL_SECONDS,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_SECONDS,
        delete_jobs="successful",
        install_signal_handlers=False,
    )


class _Again(Exception):
    """A task asks to be done again after a while."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("again")
        self.wait = wait


class _AskedFor(BaseRetryStrategy):
    """Do again what asks for it, when it asks for it."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        if not isinstance(exception, _Again):
            return None
        return RetryDecision(retry_in={"seconds": int(exception.wait.total_seconds())})


def _asking(task: Task) -> Callable[..., None]:
    def run(**ids: Any) -> None:
        wait = task(**ids)
        if wait is not None:
            raise _Again(wait)

    return run


def _timed(task: Callable[[], None]) -> Callable[..., None]:
    def run(timestamp: int) -> None:  # noqa: ARG001 (procrastinate tells which time of the schedule it is)
        task()

    return run


async def _take_up(app: App) -> None:
    """Give the jobs of dead workers back to the queue; what somebody else gave back first is no matter."""
    while True:
        with suppress(ProcrastinateException):
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                with suppress(ProcrastinateException):
                    await app.job_manager.retry_job(job)
        await asyncio.sleep(HEARTBEAT_SECONDS)


def _connector(settings: Settings) -> PsycopgConnector:
    # The queue's names are unqualified, so each connection must find them.
    options = {"options": "-c search_path=jobs,public -c timezone=UTC", "application_name": "gohelle work"}
    return PsycopgConnector(
        conninfo=conninfo(settings.database_url),
        kwargs={**options, "connect_timeout": 5},
        min_size=1,
        max_size=AT_ONCE + 2,
        timeout=10,
    )
