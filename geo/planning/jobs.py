"""Questions that are answered later: kept in PostgreSQL, each its asker's own, worked off by `gohelle work`."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from geo import errand
from geo.collections import territory
from geo.db import Database
from geo.errors import GohelleError, NotFound, Problematic, TooMuch, TooOften, TooSlow, Unavailable
from geo.planning.question import Answer, Asked
from geo.planning.questions import question
from geo.register import jobs

TASK = "plan"
SECONDS = 600
"""How long a question may take that nobody waits for."""
AT_ONCE = 5
"""Questions of one member that may wait or run."""
KEPT = timedelta(days=7)
WATCH_SECONDS = 1.0

State = Literal["accepted", "running", "successful", "failed", "dismissed"]
STATES: tuple[State, ...] = get_args(State)


class NoSuchJob(NotFound):
    """There is no such job, or it is somebody else's."""


class NotReady(NotFound):
    """The job has no results yet, or none at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One question that was put. `request` is the execute request; `problem` says why there is no answer."""

    id: UUID
    process: str
    state: State
    request: Mapping[str, Any]
    language: str | None
    problem: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


_COLUMNS = "id, process, state, request, language, problem, created_at, started_at, finished_at"
_MINE = f"select {_COLUMNS} from register.planning_jobs where staff = :staff and state <> 'dismissed'"
_SUBMIT = f"""
insert into register.planning_jobs (staff, process, request, language, created_at)
values (:staff, :process, :request, :language, :now) returning {_COLUMNS}
"""
_WAITING = "select count(*) from register.planning_jobs where staff = :staff and state in ('accepted', 'running')"
_DISMISS = f"""
update register.planning_jobs set state = 'dismissed', answer = null, problem = null, finished_at = :now
where id = :id and staff = :staff and state <> 'dismissed' returning {_COLUMNS}
"""
_BEGIN = f"""
update register.planning_jobs set state = 'running', started_at = :now
where id = :id and state in ('accepted', 'running') returning {_COLUMNS}
"""
_FINISH = """
update register.planning_jobs set state = 'successful', answer = :answer, media_type = :media_type, finished_at = :now
where id = :id and state = 'running'
"""
_FAIL = """
update register.planning_jobs set state = 'failed', problem = cast(:problem as jsonb), finished_at = :now
where id = :id and state = 'running'
"""


def _job(row: RowMapping) -> Job:
    return Job(**{**row, "request": json.loads(row["request"])})


def submit(
    tx: Connection, process: str, request: Mapping[str, Any], *, staff: UUID, language: str | None, now: datetime
) -> Job:
    """Keep a question, and hand it to the workers; TooOften where AT_ONCE of the member's wait already."""
    tx.execute(text("select pg_advisory_xact_lock(hashtext('planning'), hashtext(:who))"), {"who": str(staff)})
    if tx.execute(text(_WAITING), {"staff": staff}).scalar_one() >= AT_ONCE:
        raise TooOften(f"{AT_ONCE} of your jobs wait or run; wait, or dismiss one", retry_after=60)
    kept = {"staff": staff, "process": process, "request": json.dumps(request), "language": language, "now": now}
    job = _job(tx.execute(text(_SUBMIT), kept).mappings().one())
    jobs.defer(tx, TASK, job=str(job.id))
    return job


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Which jobs to list: None narrows nothing. They were made from `first` to `last`; durations are seconds, of what
    runs until now. The list goes on after the job `after`.
    """

    limit: int
    processes: Sequence[str] | None = None
    states: Sequence[str] | None = None
    first: datetime | None = None
    last: datetime | None = None
    at_least: float | None = None
    at_most: float | None = None
    after: UUID | None = None


_TOOK = "extract(epoch from coalesce(finished_at, :now) - started_at)"
_NARROWED = {
    "processes": "process = any(:processes)",
    "states": "state = any(:states)",
    "first": "created_at >= :first",
    "last": "created_at <= :last",
    "at_least": f"{_TOOK} >= :at_least",
    "at_most": f"{_TOOK} <= :at_most",
    "after": "(created_at, id) < (select created_at, id from register.planning_jobs where id = :after and staff = :staff)",
}


def listed(tx: Connection, wanted: Narrowed, *, staff: UUID, now: datetime) -> tuple[Sequence[Job], bool]:
    """The member's own jobs, the latest first, and whether there are more."""
    values = {name: value for name, value in asdict(wanted).items() if value is not None}
    narrowed = " and ".join([_MINE, *(sql for name, sql in _NARROWED.items() if name in values)])
    sql = f"{narrowed} order by created_at desc, id desc limit :limit + 1"
    rows = tx.execute(text(sql), {**values, "staff": staff, "now": now}).mappings().all()
    return [_job(row) for row in rows[: wanted.limit]], len(rows) > wanted.limit


def job(tx: Connection, id: UUID, *, staff: UUID) -> Job:
    """One of the member's own jobs; NoSuchJob for everything else."""
    row = tx.execute(text(f"{_MINE} and id = :id"), {"staff": staff, "id": id}).mappings().one_or_none()
    if row is None:
        raise NoSuchJob("there is no such job")
    return _job(row)


def answer(tx: Connection, id: UUID, *, staff: UUID) -> Answer:
    """What came out; NotReady while nothing did."""
    if job(tx, id, staff=staff).state != "successful":
        raise NotReady("the job has no results yet")
    row = tx.execute(text("select answer, media_type from register.planning_jobs where id = :id"), {"id": id}).one()
    return Answer(text=row.answer, media_type=row.media_type)


def dismiss(tx: Connection, id: UUID, *, staff: UUID, now: datetime) -> Job:
    """Call a job off, or throw its results away; what runs is cancelled in the database within seconds."""
    row = tx.execute(text(_DISMISS), {"id": id, "staff": staff, "now": now}).mappings().one_or_none()
    if row is None:
        raise NoSuchJob("there is no such job")
    return _job(row)


def forget(tx: Connection, *, now: datetime) -> int:
    """Delete what is older than a week; how many that was."""
    return tx.execute(text("delete from register.planning_jobs where created_at < :old"), {"old": now - KEPT}).rowcount


def work(db: Database, id: UUID, *, clock: Callable[[], datetime]) -> None:
    """Answer one question, unless it was dismissed. Unavailable where the database is away: the job is done again."""
    with db.write() as tx:
        row = tx.execute(text(_BEGIN), {"id": id, "now": clock()}).mappings().one_or_none()
    if row is None:
        return
    try:
        with _watched(db, id):
            found = _asked(db, _job(row))
    except Unavailable:
        raise
    except GohelleError as error:
        with db.write() as tx:
            tx.execute(text(_FAIL), {"id": id, "problem": json.dumps(_told(error)), "now": clock()})
        return
    with db.write() as tx:
        tx.execute(text(_FINISH), {"id": id, "answer": found.text, "media_type": found.media_type, "now": clock()})


def _asked(db: Database, one: Job) -> Answer:
    verb = question(one.process)
    inputs = verb.read(one.request["inputs"])
    try:
        with db.read_long() as tx:
            tx.exec_driver_sql(f"set local statement_timeout = '{SECONDS}s'")
            known = territory(tx)
            verb.check(inputs, known)
            return verb.answer(Asked(tx=tx, territory=known, lang=one.language), inputs)
    except TooSlow as error:
        raise TooMuch(f"this takes longer than the {SECONDS} s that a job may: ask about a smaller area") from error


def _told(error: GohelleError) -> dict[str, Any]:
    problems = [asdict(one) for one in error.problems] if isinstance(error, Problematic) else []
    return {
        "kind": type(error).__name__,
        "detail": str(error),
        "errors": [{k: v for k, v in one.items() if v is not None} for one in problems],
    }


@contextmanager
def _watched(db: Database, id: UUID) -> Iterator[None]:
    """Cancel what runs in the database once the job is dismissed."""
    done = threading.Event()
    with errand.begin() as mine:
        watcher = threading.Thread(target=_watch, args=(db, id, mine, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _watch(db: Database, id: UUID, mine: errand.Errand, done: threading.Event) -> None:
    while not done.wait(WATCH_SECONDS):
        try:
            with db.write() as tx:
                state = tx.execute(text("select state from register.planning_jobs where id = :id"), {"id": id}).scalar()
        except GohelleError:
            continue
        if state != "running":
            mine.abandon()
            return
