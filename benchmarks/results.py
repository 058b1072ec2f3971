"""RESULTS.md: one table with a row a goal, then what was not measured and what lies behind the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.finding import Finding

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEAD = ("what", "measured against", "measured", "goal", "absolute", "verdict")


@dataclass(frozen=True)
class Row:
    """A goal that was measured."""

    name: str
    what: str
    against: str
    finding: Finding


@dataclass
class Results:
    """All of one run: measured goals, goals not measured with the reason, and further lists by title."""

    machine: str
    run: str
    rows: list[Row] = field(default_factory=list)
    not_measured: dict[str, str] = field(default_factory=dict)
    details: dict[str, Sequence[str]] = field(default_factory=dict)

    def text(self) -> str:
        """The whole file."""
        lines = ["# Benchmark results", "", self.machine, self.run, ""]
        lines += ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
        lines += [_line(row) for row in self.rows]
        lines += _section("Not measured in this run", self.not_measured)
        for title, items in self.details.items():
            lines += ["", f"## {title}", "", *(f"- {item}" for item in items)]
        return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    ratios = row.finding.ratios
    cells = (
        row.what,
        row.against,
        ", ".join(ratio.measured for ratio in ratios),
        ", ".join(ratio.goal for ratio in ratios),
        row.finding.absolute,
        row.finding.verdict,
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _section(title: str, items: Mapping[str, str]) -> list[str]:
    if not items:
        return []
    return ["", f"## {title}", "", *(f"- {what}: {reason}" for what, reason in items.items())]
