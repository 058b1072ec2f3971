"""The dictionary of raw tables, from the specs of their sources."""

from __future__ import annotations

from collections.abc import Iterator

from huiliu.dictionary import Entry, entry_of
from ingestion.spec import SourceSpec, TableSpec

# What a source sends stands in raw as it came: until staging has read it, any column may hold anything.
CLASSIFICATION = "highly_sensitive"
_AS_IT_CAME = "as the source sent it, unread"
_BOOKKEEPING = {
    "_extra": ("text", "规格未列出的来源列：columns that the spec does not list, as JSON"),
    "_row_key": ("uuid", "行键：hash of the row's key at the source"),
    "_op": ("character(1)", "变更类型：I inserted, U updated, D deleted at the source"),
    "_batch_id": ("bigint", "批次号：load that landed this version (ops.load_run)"),
    "_loaded_on": ("date", "装载日期：business date of that load"),
}


def entries(spec: SourceSpec) -> Iterator[Entry]:
    """Return the entries of a source's tables, columns in their order."""
    for table in spec.tables:
        yield from entries_of(spec.name, spec.department, table)


def entries_of(source: str, department: str, table: TableSpec) -> Iterator[Entry]:
    """Return the entries of one table."""
    columns = {column.name: ("text", f"{column.label}：{_AS_IT_CAME}") for column in table.columns}
    for column, (type_, text) in (columns | _BOOKKEEPING).items():
        yield entry_of(
            text,
            table=("raw", f"{source}__{table.name}", table.title),
            column=column,
            type_=type_,
            classification=CLASSIFICATION,
            department=department,
        )
