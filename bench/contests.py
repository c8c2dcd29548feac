"""What is compared: each contest is one kind of question, and the contenders that it is put to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import questions
from bench.ground import Ground
from bench.measure import Run, Statement, driven, floor, settled
from bench.questions import Scenery
from bench.servers import Server, bare, fetch
from geo import features, tiles
from geo.collections import Collection, Reach
from geo.curve import Tile
from geo.filters import Question
from geo.space import Bbox

PEER_SECONDS = (2, 5)
"""It answers fewer in a second, so it is given longer: the more so, the larger the question."""

LARGE = 9
"""Share of the extent times features asked for, from which on a page is large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One database with its servers, and what can be asked there."""

    base: Ground
    database: str
    servers: Mapping[str, Server]
    collection: Collection
    reach: Reach
    scene: Scenery
    quick: bool


@dataclass(frozen=True, slots=True)
class Contest:
    """A question of one kind: what is measured for whom."""

    id: str
    title: str
    contestants: Mapping[str, Callable[[], Run]]


def contests(stage: Stage) -> Iterator[Contest]:
    """All that are paired with the peer and with the floor."""
    for limit in (100, 1_000, 10_000):
        for share in _shares(stage, limit):
            yield _items(stage, limit, share)
    yield _item(stage)
    for z in (6, 14) if stage.quick else questions.ZOOMS:
        yield _tiles(stage, f"z{z}", f"tile z{z}", questions.tiles(stage.scene, z))
    if not stage.quick:
        yield _tiles(stage, "session", "zoom-in session, z5 to z16, 144 tiles", questions.session(stage.scene))


def _shares(stage: Stage, limit: int) -> Sequence[float]:
    if stage.quick:
        return () if limit == 10_000 else (0.01,)
    return (0.01, 1.0) if limit == 10_000 else questions.SHARES


def _items(stage: Stage, limit: int, share: float) -> Contest:
    boxes = questions.boxes(stage.scene, share)
    kind = stage.collection.kind
    return Contest(
        f"items-{limit}-{share:g}",
        f"items, {limit:,} features, box of {share:.1%}",
        {
            "cold": driven(stage.base, stage.servers["cold"], [questions.items_path(box, limit) for box in boxes], 1),
            "peer": _peer(stage, [questions.peer_items_path(kind, box, limit) for box in boxes], share * limit),
            "floor": floor(stage.base, stage.database, [_page_sql(stage, box, limit) for box in boxes], 2),
        },
    )


def _peer(stage: Stage, paths: Sequence[str], size: float) -> Callable[[], Run]:
    return peer_run(stage, paths, PEER_SECONDS[size > LARGE])


def peer_run(stage: Stage, paths: Sequence[str], seconds: int = PEER_SECONDS[0]) -> Callable[[], Run]:
    """The peer under load, and an end to what it leaves behind."""
    return settled(stage.base, stage.database, driven(stage.base, stage.servers["peer"], paths, seconds))


def _item(stage: Stage) -> Contest:
    ids = stage.scene.ids[: questions.LISTED]
    peer = "/collections/territory.installations/items"
    return Contest(
        "item",
        "one item",
        {
            "cold": driven(
                stage.base, stage.servers["cold"], [f"/collections/installations/items/{id}?f=geojson" for id in ids], 1
            ),
            "peer": _peer(stage, [f"{peer}/{id}?f=geojson" for id in ids], 0),
            "floor": floor(stage.base, stage.database, [features.item_sql(stage.collection, id) for id in ids], 1),
        },
    )


def _tiles(stage: Stage, id: str, title: str, asked: Sequence[Tile]) -> Contest:
    kind = stage.collection.kind
    statements = [_tile_sql(stage, tile) for tile in asked][:: max(1, len(asked) // questions.LISTED)]
    large = 0 if asked[0].z >= 14 else 100
    return Contest(
        id,
        title,
        {
            "cold": driven(stage.base, stage.servers["cold"], [questions.tile_path(tile) for tile in asked], 1),
            **{
                name: _peer(stage, [questions.peer_tile_path(kind, tile, stored=stored) for tile in asked], large)
                for name, stored in (("peer", False), ("helped", True))
            },
            "floor": floor(stage.base, stage.database, statements, 2),
        },
    )


def _page_sql(stage: Stage, box: Bbox, limit: int) -> Statement:
    question = Question(limit=limit, bbox=box)
    return features.page_sql(stage.collection, question, reach=stage.reach)


def _tile_sql(stage: Stage, tile: Tile) -> Statement:
    return tiles.tile_sql([(stage.collection, questions.ANY)], tile, lang=None)


def from_memory(stage: Stage, folder: Path) -> Iterator[Contest]:
    """The same bytes from memory and from a bare ASGI application; and nothing changed, from both."""
    box = questions.boxes(stage.scene, 0.01)[0]
    paths = {
        "page": questions.items_path(box, 100),
        "tile": questions.tile_path(questions.tiles(stage.scene, 14)[0]),
    }
    kept = stage.servers["kept"]
    answers = {f"/{name}": fetch(kept, path) for name, path in paths.items()}
    tags = {name: _tag(answers[f"/{name}"][1]) for name in paths}
    unchanged = fetch(kept, paths["page"], {"If-None-Match": tags["page"]})
    with bare(folder, {**answers, "/unchanged": unchanged}) as ceiling:
        for name, title in (("page", "page of 100 from memory"), ("tile", "z14 tile from memory")):
            yield Contest(
                f"memory-{name}",
                title,
                {
                    "kept": driven(stage.base, kept, [paths[name]], 1),
                    "bare": driven(stage.base, ceiling, [f"/{name}"], 1),
                },
            )
        yield Contest(
            "memory-304",
            "304 from memory",
            {
                "kept": driven(stage.base, kept, [f"{paths['page']}\t{tags['page']}"], 1),
                "bare": driven(stage.base, ceiling, ["/unchanged"], 1),
            },
        )


def _tag(headers: Sequence[tuple[str, str]]) -> str:
    return next(value for name, value in headers if name.lower() == "etag")
