"""The rates as a picture: one line a contest, one dot a contender, on a logarithmic scale. Plain SVG, written by hand."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from bench.measure import median
from bench.report import NAMES, Outcome

COLOURS = {
    "cold": "#0b6e4f",
    "kept": "#0b6e4f",
    "peer": "#b84a62",
    "helped": "#e0a3b0",
    "floor": "#5c6670",
    "bare": "#332288",
}
LEFT, WIDTH, ROW, TOP = 380, 560, 26, 82


def write(path: Path, outcomes: Sequence[Outcome]) -> None:
    """results.svg."""
    rates = [(outcome, {name: median(runs).rate for name, runs in outcome.runs.items()}) for outcome in outcomes]
    every = [rate for _, found in rates for rate in found.values() if rate > 0] or [1.0]
    low, high = floor(log10(min(every))), ceil(log10(max(every)))

    def x(rate: float) -> float:
        return LEFT + (log10(max(rate, 10**low)) - low) / max(1, high - low) * WIDTH

    height = TOP + ROW * len(rates) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 40} {height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<text x="10" y="20" font-weight="bold">Answers a second (logarithmic)</text>',
    ]
    for n, (name, label) in enumerate(NAMES.items()):
        left, at = 20 + n % 3 * 220, 38 + n // 3 * 18
        parts.append(_dot(left, at, name) + f'<text x="{left + 10}" y="{at + 4}">{label}</text>')
    for power in range(low, high + 1):
        at = x(10**power)
        parts.append(f'<path d="M{at:.1f} {TOP}V{height - 16}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{height - 4}" text-anchor="middle" fill="#555">{10**power:,g}</text>')
    for n, (outcome, found) in enumerate(rates):
        y = TOP + ROW * n + ROW / 2
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(outcome.contest.title)}</text>')
        ends = [x(rate) for rate in found.values()]
        parts.append(f'<path d="M{min(ends):.1f} {y}H{max(ends):.1f}" stroke="#bbb" stroke-width="2"/>')
        parts += [_dot(x(rate), y, name) for name, rate in found.items()]
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _dot(x: float, y: float, name: str) -> str:
    """What comes from memory is hollow."""
    fill = "#fff" if name == "kept" else COLOURS[name]
    return f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{fill}" stroke="{COLOURS[name]}" stroke-width="2"/>'
