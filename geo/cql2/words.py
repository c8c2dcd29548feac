"""The words of CQL2 that we understand: an allow-list. A function or an operator that does not stand here is refused."""

DEEPEST = 64
"""How deep brackets, NOTs, minuses and functions may stand within each other."""

MOST = 500
"""How many operators and functions a filter may have."""

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
SPATIAL = {
    "s_intersects": "ST_Intersects",
    "s_equals": "ST_Equals",
    "s_disjoint": "ST_Disjoint",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
    "s_contains": "ST_Contains",
}
TEMPORAL = (
    "t_after",
    "t_before",
    "t_contains",
    "t_disjoint",
    "t_during",
    "t_equals",
    "t_finishedBy",
    "t_finishes",
    "t_intersects",
    "t_meets",
    "t_metBy",
    "t_overlappedBy",
    "t_overlaps",
    "t_startedBy",
    "t_starts",
)
FOLDS = ("casei", "accenti")
OPERATORS = (
    "and", "or", "not", *COMPARISONS, "like", "between", "in", "isNull", *ARITHMETIC, *FOLDS, *SPATIAL, *TEMPORAL,
)  # fmt: skip
BY_LOWER_NAME = {name.lower(): name for name in (*FOLDS, *SPATIAL, *TEMPORAL)}
"""Functions in the letters of CQL2 JSON; CQL2 text does not mind the case."""


class BadFilter(ValueError):
    """A filter that cannot be understood. The message goes on from its parameter's name and repeats no value."""
