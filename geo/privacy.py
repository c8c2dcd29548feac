"""What of a declaration may become public, and how precisely. The exact point of a home never leaves `register`."""

import math
from dataclasses import dataclass
from typing import Literal

Precision = Literal["cell_200m", "cell_1km", "statistics", "exact"]
"""How precisely a resident's installation is shown; `statistics` shows no entry at all."""

CELL_METRES = {"cell_200m": 200, "cell_1km": 1000}
"""The sides of the INSPIRE grid's squares that stand for a home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How one entry's position becomes public: the side of its square, or None for the exact point."""

    cell_m: int | None

    @property
    def position(self) -> str:
        """The position quality of the public row."""
        return "cell" if self.cell_m else "digitised"

    @property
    def accuracy_m(self) -> float | None:
        """Half the square's diagonal: the furthest that the home may lie from the point shown."""
        return round(self.cell_m * math.sqrt(2) / 2, 1) if self.cell_m else None


def shown(precision: str) -> Shown | None:
    """How an entry of this precision is shown; None if it is not."""
    if precision == "statistics":
        return None
    return Shown(cell_m=CELL_METRES.get(precision))


def rounded(value: float | None, step: float, *, private: bool) -> float | None:
    """A private person's measure to the next step, never 0: an odd number could tell one roof from its neighbour's."""
    if value is None or not private:
        return value
    return max(step, math.floor(value / step + 0.5) * step)
