"""The bench's own words and pictures: what must not be found out at the end of half an hour."""

from pathlib import Path
from xml.etree import ElementTree

from bench import plot, report
from bench.contests import Contest
from bench.measure import Run
from bench.report import NAMES, Outcome


def outcome(id: str, **rates: float) -> Outcome:
    """A contest of two rounds, in which each contender had this rate in both."""
    still = {"p50": 1.0, "p95": 1.0, "p99": 1.0, "bytes": 1.0, "cpu": 1.0, "database_cpu": 1.0, "errors": 0}
    return Outcome(Contest(id, f"a <{id}>", {}), {name: [Run(rate=rate, **still)] * 2 for name, rate in rates.items()})


def test_every_contender_is_drawn_once_a_contest(tmp_path: Path):
    """In the legend, too; one that answered nothing stands at the left end."""
    every = dict.fromkeys(NAMES, 10.0)
    plot.write(tmp_path / "it.svg", [outcome("z14", **every), outcome("item", cold=1.0, peer=0.0)])
    drawn = ElementTree.parse(tmp_path / "it.svg").getroot().iter("{http://www.w3.org/2000/svg}circle")
    assert len(list(drawn)) == 2 * len(NAMES) + 2


def test_a_peer_that_answers_nothing_is_said_and_not_divided_by():
    """Of pages, tiles and filters."""
    for id in ("items-100-1", "z14", "filter-casei"):
        found = report.findings([outcome(id, cold=5.0, peer=0.0, floor=6.0)])
        assert found[0].found == "the peer answered nothing"
