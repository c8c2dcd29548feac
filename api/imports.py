"""What the command line says while it imports: progress, one dataset's report, and a table that closes many."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from geo.errors import GohelleError, Unavailable
from geo.files import ImportRequest, Report, run_import
from geo.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Asked = tuple[str, ImportRequest | None, str]
"""A dataset's name, what to ask, or why there is nothing to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one dataset: a report, or a sentence on why there is none."""

    name: str
    report: Report | None = None
    failure: str = ""

    @property
    def good(self) -> bool:
        """Whether it was read, and something was kept unless all of it lies elsewhere."""
        return self.report is not None and kept(self.report)


def import_one(settings: Settings, request: ImportRequest) -> bool:
    """Import one file and tell what became of each row; whether anything was kept."""
    report = run_import(settings, request, progress=progress())
    tell(report)
    return kept(report)


def import_many(settings: Settings, asked: Sequence[Asked]) -> bool:
    """Import one dataset after the other, each in a transaction of its own, and close with a table; whether all went well."""
    outcomes = [_outcome(settings, *one) for one in asked]
    _close(outcomes)
    return all(outcome.good for outcome in outcomes)


def _outcome(settings: Settings, name: str, request: ImportRequest | None, missing: str) -> Outcome:
    """One that fails does not stop the others; without a database none can go on."""
    if request is None:
        out.print(f"{name}: {missing}", markup=False)
        return Outcome(name=name, failure=missing)
    try:
        report = run_import(settings, request, progress=progress())
    except Unavailable:
        raise
    except GohelleError as error:
        out.print(f"{name}: {error}", markup=False)
        return Outcome(name=name, failure=str(error))
    tell(report)
    return Outcome(name=name, report=report)


def kept(report: Report) -> bool:
    """False where rows were read and none of those that belong here could be written."""
    return report.written > 0 or report.read <= report.skipped


def progress() -> Callable[[str, int], None]:
    """Progress on a terminal only; a log keeps the report."""

    def show(doing: str, rows: int) -> None:
        if err.is_terminal:
            err.print(f"{doing} {rows}", end="\r")

    return show


def tell(report: Report) -> None:
    """The report of one dataset."""
    dry = " (dry run: nothing was changed)" if report.dry_run else ""
    out.print(f"{report.title} → {report.kind}{dry}", markup=False)
    out.print(
        f"read {report.read}, written {report.written} (new {report.inserted}, changed {report.updated}, "
        f"unchanged {report.unchanged}), repaired {report.repaired_count}, refused {report.refused_count}, "
        f"left out {report.skipped}, deleted {report.deleted}; {report.seconds:.1f} s, {report.peak_mb} MB",
        markup=False,
    )
    for remark in report.remarks:
        out.print(remark, markup=False)
    for label, notes in (("repaired", report.repaired), ("refused", report.refused), ("replaced", report.replaced)):
        for note in notes:
            out.print(f"{label}: row {note.row} ({note.source_key or 'no key'}): {note.reason}", markup=False)


HEADINGS = ("read", "new", "changed", "unchanged", "repaired", "refused", "left out", "replaced", "s")


def _close(outcomes: Sequence[Outcome]) -> None:
    table = Table("dataset", "kind")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    table.add_column("")
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    Console(width=None if sys.stdout.isatty() else 200).print(table, markup=False)
    for outcome in outcomes:
        if outcome.report and outcome.report.replaced_count:
            keys = ", ".join(str(note.source_key) for note in outcome.report.replaced)
            out.print(f"{outcome.name} drew what was only sketched: {outcome.report.kind} {keys}", markup=False)
    failed = [outcome.name for outcome in outcomes if not outcome.good]
    if failed:
        err.print(f"{len(failed)} of {len(outcomes)} datasets are not there: {', '.join(failed)}", markup=False)


def _cells(outcome: Outcome) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415 (no file's words are markup)

    report = outcome.report
    if report is None:
        return [outcome.name, "", *("" for _ in HEADINGS), escape(outcome.failure)]
    counts = (
        report.read, report.inserted, report.updated, report.unchanged,
        report.repaired_count, report.refused_count, report.skipped, report.replaced_count,
    )  # fmt: skip
    ending = "dry run" if report.dry_run else "" if kept(report) else "nothing was kept"
    return [outcome.name, report.kind, *map(str, counts), f"{report.seconds:.1f}", ending]
