"""A network as a graph: who is joined to whom, which ways end, which way is the shortest. No SQL, no geometry."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Node = tuple[int, int]
"""A place in the plane of the question, in millimetres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A way between two places without a fork; metres on the ellipsoid, and its GeoJSON text."""

    start: Node
    end: Node
    metres: float
    geometry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Where two parts come nearest to each other; `joins_m` is the length of the shorter of the two."""

    one: int
    other: int
    metres: float
    geometry: str
    joins_m: float = 0.0


def neighbours(edges: Iterable[Edge]) -> Mapping[Node, list[tuple[Node, int, Edge]]]:
    """From each place the ways that lead on: where to, the way's number, and the way."""
    found: dict[Node, list[tuple[Node, int, Edge]]] = defaultdict(list)
    for n, edge in enumerate(edges):
        found[edge.start].append((edge.end, n, edge))
        found[edge.end].append((edge.start, n, edge))
    return found


def dead_ends(edges: Sequence[Edge], *, shortest_m: float) -> Iterator[Node]:
    """Places where a single way ends; a stub that is shorter than the data are exact is no way."""
    for node, ways in sorted(neighbours(edges).items()):
        if len(ways) == 1 and ways[0][2].metres > shortest_m:
            yield node


def shortest(edges: Sequence[Edge], start: Node, end: Node) -> list[Edge] | None:
    """The shortest way between two places (Dijkstra's); None where they are not joined."""
    ways = neighbours(edges)
    best: dict[Node, float] = {start: 0.0}
    came: dict[Node, tuple[Node, Edge]] = {}
    waiting = [(0.0, start)]
    while waiting:
        metres, here = heapq.heappop(waiting)
        if here == end:
            return list(_traced(came, start, end))[::-1]
        if metres > best[here]:
            continue
        for there, _, edge in ways.get(here, ()):
            far = metres + edge.metres
            if far < best.get(there, float("inf")):
                best[there] = far
                came[there] = (here, edge)
                heapq.heappush(waiting, (far, there))
    return None


def _traced(came: Mapping[Node, tuple[Node, Edge]], start: Node, end: Node) -> Iterator[Edge]:
    while end != start:
        end, edge = came[end]
        yield edge


def closing(lengths: Mapping[int, float], gaps: Sequence[Gap], *, most: int) -> Iterator[Gap]:
    """The gaps in the order in which they are worth closing: each joins the longest part that is left to join.

    Parts that a gap has joined count as one for the gaps after it; of equals the narrower goes first.
    """
    parent = {part: part for part in lengths}
    length = dict(lengths)

    def root(part: int) -> int:
        while parent[part] != part:
            parent[part] = parent[parent[part]]
            part = parent[part]
        return part

    left = list(gaps)
    for _ in range(most):
        left = [gap for gap in left if root(gap.one) != root(gap.other)]
        if not left:
            return
        joined = {id(gap): min(length[root(gap.one)], length[root(gap.other)]) for gap in left}
        best = max(left, key=lambda gap: (joined[id(gap)], -gap.metres, -gap.one, -gap.other))
        one, other = root(best.one), root(best.other)
        parent[one] = other
        length[other] += length[one]
        yield Gap(
            one=best.one,
            other=best.other,
            metres=best.metres,
            geometry=best.geometry,
            joins_m=joined[id(best)],
        )
