"""One import, from the first row of a file to the report, in one transaction."""

import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from geo.files import formats
from geo.files.features import Batch, Opened
from geo.files.mapping import Dataset
from geo.files.rejected import check_writable, write_rejected
from geo.files.report import NOTES, ImportRequest, Note, Report
from geo.files.shapes import Projection, Swapped, as_ewkb, check, elsewhere
from geo.files.staging import Staging, territory_bounds
from geo.files.values import Reading, Refused, Row, plain
from geo.kinds import GeometryType
from geo.space import Bbox

Say = Callable[[str, Any], None]
BEGAN = time.monotonic()
"""This process reads one file and ends, so its own start is when the import began."""

REMARKS = 20
RSS_UNITS = {"linux": 1024, "darwin": 1}


class Refusal(NamedTuple):
    """A row that never reaches the table, as `Staging.tell` takes it."""

    row: int
    key: str | None
    sort: str
    reason: str
    brief: str


class Import:
    """One import, from the first row to the report, in one transaction."""

    def __init__(
        self, request: ImportRequest, dataset: Dataset, opened: Opened, connection: psycopg.Connection, say: Say
    ) -> None:
        """Find out what is needed for every row."""
        self.request, self.dataset, self.opened = request, dataset, opened
        if request.rejected:
            check_writable(request.rejected)
        self.connection, self.say = connection, say
        self.read = self.skipped = 0
        self.remarks: list[str] = []
        warnings.showwarning = self._remark
        self.geometry: GeometryType | None = dataset.kind.geometry
        self.box = Bbox(*request.bbox) if request.bbox else None
        self.project = Projection(self._crs()) if self.geometry else None
        self.swapped = Swapped(territory_bounds(connection))
        self.reading = Reading(dataset, opened.fields)
        self.staging = Staging(connection, dataset, self.reading.columns, self.reading.types)

    def _remark(self, message: Warning | str, *_where: Any, **_more: Any) -> None:
        """What the libraries warn of belongs into the report."""
        if len(self.remarks) < REMARKS:
            self.remarks.append(str(message)[:300])

    def _crs(self) -> str:
        """The file's own word, unless the request overrules it; the mapping helps where the file says nothing."""
        found = self.request.crs or self.opened.crs or self.dataset.layout.crs or self.opened.usual
        if not found:
            raise formats.bad(
                "the file does not say its coordinate system: name it in the mapping's [file], or by --crs"
            )
        return found

    def report(self) -> Report:
        """Read, check, write, commit unless it is a dry run; tell what became of each row."""
        for batch in self.opened.batches:
            self._stage(batch)
        if not self.read:
            raise formats.bad("the file holds no feature")
        if self.opened.lines is not None and self.opened.lines != self.read:
            self.remarks.append(f"{self.opened.lines} lines look like features, but {self.read} could be read")
        self.swapped.say()
        self._settle()
        report = self._write()
        self._reject()
        if self.request.dry_run:
            self.connection.rollback()
        else:
            self.say("committing", True)
            self.connection.commit()
        return report

    def _stage(self, batch: Batch) -> None:
        wanted = [index for index, row in enumerate(batch.rows) if self.reading.wanted(row)]
        reasons, places, skip = self._placed(batch, wanted)
        self.read += len(batch.rows)
        self.skipped += len(batch.rows) - len(wanted) + int(sum(skip))
        if self.request.rejected:
            self.staging.remember(_as_read(batch, wanted))
        ready, refused = [], []
        for index, reason, wkb, out in zip(wanted, reasons, places, skip, strict=True):
            if out:
                continue
            taken = self._taken(batch.first + index, batch.rows[index], reason, wkb)
            (refused if isinstance(taken, Refusal) else ready).append(taken)
        self.staging.add(ready)
        self.staging.tell(refused)
        self.say("progress", {"doing": "reading", "rows": self.read})

    def _placed(
        self, batch: Batch, wanted: Sequence[int]
    ) -> tuple[Sequence[str | None], Sequence[bytes | None], Sequence[bool]]:
        """Why a row's geometry is refused, the geometry, and whether it lies elsewhere; a kind without places has none."""
        if self.geometry is None or self.project is None:
            return [None] * len(wanted), [None] * len(wanted), [False] * len(wanted)
        geometry = batch.geometry.only(wanted)
        check(geometry, self.project, self.geometry, self.swapped, point=self.dataset.layout.point)
        skip = [bool(one) for one in elsewhere(geometry.shapes, self.box)] if self.box else [False] * len(wanted)
        return geometry.reasons, as_ewkb(geometry.shapes, self.geometry), skip

    def _taken(self, number: int, row: Row, reason: str | None, wkb: bytes | None) -> "tuple[Any, ...] | Refusal":
        """The row as the staging table takes it, or the first reason why it does not."""
        key = None
        try:
            if reason:
                key = self.reading.key_if_any(row)
                raise Refused(reason)
            key = self.reading.key(row)
            return number, key, *self.reading.values(row), wkb
        except Refused as why:
            return Refusal(number, key, "refused", str(why).replace("\0", ""), why.sort)

    def _settle(self) -> None:
        self.say("progress", {"doing": "checking", "rows": self.read})
        if not self.dataset.whole:
            self.skipped += self.staging.leave_strangers()
        self.staging.settle()

    def _write(self) -> Report:
        ready = self.staging.count()
        self.say("progress", {"doing": "writing", "rows": ready})
        self.staging.begin_writing()
        if self.request.mode == "replace" and not ready:
            raise formats.bad("no row of the file can be written, so there is nothing to replace the dataset with")
        self.staging.note_replaced()
        inserted, updated = self.staging.write(append=self.request.mode == "append")
        deleted = self.staging.delete_others() if self.request.mode == "replace" else 0
        self.connection.execute("set constraints all immediate")
        return self._told(inserted, updated, ready - inserted - updated, deleted)

    def _told(self, inserted: int, updated: int, unchanged: int, deleted: int) -> Report:
        reasons = self.staging.counted("refused")
        return Report(
            dataset=self.dataset.name,
            title=self.dataset.title,
            kind=self.dataset.kind.id,
            mode=self.request.mode,
            dry_run=self.request.dry_run,
            read=self.read,
            skipped=self.skipped,
            inserted=inserted,
            updated=updated,
            unchanged=unchanged,
            deleted=deleted,
            repaired_count=sum(self.staging.counted("repaired").values()),
            refused_count=sum(reasons.values()),
            replaced_count=sum(self.staging.counted("replaced").values()),
            repaired=self._notes("repaired"),
            refused=self._notes("refused"),
            replaced=self._notes("replaced"),
            reasons=reasons,
            remarks=tuple(self.remarks),
            attribution=self.dataset.attribution,
            licence=self.dataset.licence,
            seconds=round(time.monotonic() - BEGAN, 2),
            peak_mb=peak_mb(),
        )

    def _notes(self, sort: str) -> tuple[Note, ...]:
        return tuple(
            Note(row=row, source_key=key, reason=reason, place=None if x is None or y is None else (x, y))
            for row, key, reason, x, y in self.staging.told(sort, NOTES)
        )

    def _reject(self) -> None:
        """All refused rows into the file that was asked for."""
        if self.request.rejected:
            write_rejected(self.request.rejected, self.opened.fields, self.staging.rejected())


def _as_read(batch: Batch, wanted: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    for index in wanted:
        yield batch.first + index, [plain(value).replace("\0", "") for value in batch.rows[index]]


def peak_mb() -> int:
    """The most memory that this process had at once; what it inherited from its parent's start does not count."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return int(status.split("VmHWM:")[1].split()[0]) // 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNITS.get(sys.platform, 1024) // 1024**2
