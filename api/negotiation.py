"""What a client accepts: media types, languages, encodings. Pure functions over header texts."""

from collections.abc import Iterator, Sequence

Liking = tuple[float, bool]
"""The weight of a type, and whether its very profile was named."""


def weighted(header: str) -> list[tuple[str, float]]:
    """The header's values with their weights, best first, in their own order where weights are equal."""
    return sorted(_weighted(header), key=lambda pair: -pair[1])


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for part in header[:1000].split(","):
        value, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, number = parameter.partition("=")
            if name == "q":
                weight = _weight(number)
            elif name == "profile":
                value = f"{value};{parameter}"
        if value:
            yield value, weight


def _weight(number: str) -> float:
    try:
        return min(1.0, max(0.0, float(number)))
    except ValueError:
        return 0.0


def media_type(accept: str, offered: Sequence[str]) -> str | None:
    """The offered type that the client likes best, the first offered where it does not mind; None if it takes none."""
    if not accept.strip():
        return offered[0]
    scored = [(_liking(accept, one), -rank, one) for rank, one in enumerate(offered)]
    (weight, _), _, best = max(scored)
    return best if weight > 0 else None


def likings(accept: str, types: Sequence[str]) -> tuple[Liking, ...]:
    """How much the client likes each type; equal tuples negotiate equally."""
    return tuple(_liking(accept, one) for one in types) if accept.strip() else ()


def _liking(accept: str, offered: str) -> Liking:
    """The weight of the most specific range that names the type. A profile that nobody offers is no matter."""
    full, bare = offered.lower(), offered.split(";", maxsplit=1)[0]
    ranges = dict(reversed(weighted(accept)))
    if full != bare and full in ranges:
        return ranges[full], True
    ranges = {name.split(";", maxsplit=1)[0]: weight for name, weight in reversed(ranges.items())} | ranges
    for candidate in (bare, bare.split("/")[0] + "/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate], False
    return 0.0, False


def language(accept: str, spoken: Sequence[str]) -> str:
    """The spoken language that the client likes best; the first spoken where it says nothing we know."""
    for tag, weight in weighted(accept):
        if weight > 0 and tag.split("-")[0] in spoken:
            return tag.split("-")[0]
    return spoken[0]


def encoding(accept: str) -> str | None:
    """`br` or `gzip` where the client takes it, br first."""
    weights = dict(_weighted(accept))
    for name in ("br", "gzip"):
        if weights.get(name, weights.get("*", 0.0)) > 0:
            return name
    return None
