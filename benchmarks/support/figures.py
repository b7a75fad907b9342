"""Figures: what was measured, round by round, and what follows from it.

Knows medians and ratios. Must not know what is measured or how.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much to measure.

    Args:
        rounds: how often each case is measured, ours and the peers in turn.
        smoke: tiny sizes: shows that it runs, its figures mean nothing.
        only: the cases to measure, of benchmarks that let one choose; all if empty.
    """

    rounds: int = 5
    smoke: bool = False
    only: tuple[str, ...] = ()

    def pick(self, full: T, tiny: T) -> T:
        """The size for this scale."""
        return tiny if self.smoke else full


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and between what they lie."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def as_json(self) -> dict[str, float]:
        """The three, with the digits that could matter."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in one case.

    Args:
        values: one for each round.
        ratio: ours divided by its value, round by round; `None` for ours.
    """

    case: str
    subject: str
    values: tuple[float, ...]
    spread: Spread
    ratio: Spread | None


@dataclass(slots=True)
class Table:
    """The figures of one question.

    Args:
        title: the question.
        unit: of the values; empty for a plain number.
        ours: the subject that the others are compared with; none if empty.
        note: what has to be known to read it.
        printed: or only in the file, because it is too long.
    """

    title: str
    unit: str
    ours: str = "rhtmx"
    note: str = ""
    printed: bool = True
    _values: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, case: str, subject: str, value: float) -> None:
        """Note the value of one round."""
        self._values.setdefault(case, {}).setdefault(subject, []).append(value)

    def rows(self) -> Iterator[Row]:
        """Every case, and in it every subject."""
        for case, subjects in self._values.items():
            ours = subjects.get(self.ours, ())
            for subject, values in subjects.items():
                ratio = None
                if subject != self.ours and len(ours) == len(values):
                    pairs = zip(ours, values, strict=True)
                    ratio = Spread.of([one / other for one, other in pairs if other])
                yield Row(case, subject, tuple(values), Spread.of(values), ratio)

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {
            "title": self.title,
            "unit": self.unit,
            "note": self.note,
            "rows": [
                {
                    "case": row.case,
                    "subject": row.subject,
                    **row.spread.as_json(),
                    "ratio": row.ratio and row.ratio.as_json(),
                    "values": [_rounded(value) for value in row.values],
                }
                for row in self.rows()
            ],
        }  # fmt: skip

    def as_text(self) -> str:
        """The same as columns, for a person."""
        median = f"median ({self.unit})" if self.unit else "median"
        lines = [("case", "subject", median, "low … high", "ours ÷ this")]
        case = ""
        for row in self.rows():
            shown = "" if row.case == case else row.case
            case = row.case
            spread = f"{short(row.spread.low)} … {short(row.spread.high)}"
            ratio = "" if row.ratio is None else ratios(asdict(row.ratio))
            lines.append((shown, row.subject, short(row.spread.median), spread, ratio))
        widths = [max(len(line[column]) for line in lines) for column in range(5)]
        text = "\n".join(
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )
        return f"{self.title}\n{text}\n{self.note}".rstrip() + "\n"


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def short(value: float) -> str:
    """A figure with three digits that matter.

    >>> short(1234567.0), short(0.01234), short(42.0)
    ('1,230,000', '0.0123', '42')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.3g}"


def ratios(spread: Mapping[str, float]) -> str:
    """The median of some ratios, and between what they lie, as text."""
    return f"{ratio(spread['median'])} ({ratio(spread['low'])} … {ratio(spread['high'])})"


def ratio(value: float) -> str:
    """A ratio with the digits that matter.

    >>> ratio(0.00312), ratio(0.876), ratio(1.234), ratio(12.345), ratio(2345.6)
    ('0.0031', '0.88', '1.23', '12.3', '2,346')
    """
    if value >= 1:
        return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    return f"{value:.2g}"
