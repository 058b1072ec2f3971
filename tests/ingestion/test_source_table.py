"""The table of sources that people read says what the specs say."""

from __future__ import annotations

from huiliu.settings import PROJECT_ROOT
from ingestion.spec import SourceSpec, load_specs


def row_of(name: str, spec: SourceSpec) -> str:
    tables = ", ".join(f"`{table.name}` {table.mode.type}" for table in spec.tables)
    cells = [f"`{name}`", spec.title, spec.department, spec.level, spec.container.type, tables]
    return f"| {' | '.join(cells)} |"


def test_the_table_of_sources_is_that_of_the_specs() -> None:
    text = (PROJECT_ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    specs = load_specs()
    written = [line for line in text.splitlines() if line.startswith("| `")]
    assert written == [row_of(name, specs[name]) for name in sorted(specs)]
    assert f"The {len(specs)} sources" in text


def test_most_sources_are_of_the_nation_or_the_province() -> None:
    levels = [spec.level for spec in load_specs().values()]
    assert sum(level in ("nation", "province") for level in levels) / len(levels) >= 0.7
