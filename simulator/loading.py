"""Loading source databases and files.

Each database in one transaction, with the step it has reached beside the rows.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

from huiliu.connections import API_SOURCES
from huiliu.database import Connection, connect
from huiliu.errors import DataError
from simulator import emission
from simulator.emission import Change
from simulator.registry import SYSTEMS, by_name
from simulator.state import State
from simulator.systems.source_table import SourceTable
from simulator.systems.system import System

log = logging.getLogger(__name__)
Connect = Callable[[str], Connection]  # source name -> connection as its owner


def as_owner(source: str) -> Connection:
    """Connect to a source's database as its owner."""
    return connect(f"source_owner:{source}")


@dataclass(frozen=True)
class Shown:
    """What a system shows in this step (simulator.systems.system.Shown)."""

    state: State
    source: str
    changes: Mapping[str, Change]

    def whole(self, table: str) -> pa.Table:
        """Return every row of a table as the source has it now."""
        form = by_name(self.source, table)
        return _joined(form, emission.rows(self.state, form, emission.present(self.state, form)))

    def written(self, table: str) -> pa.Table:
        """Return the rows that this step writes."""
        change = self.changes.get(table)
        form = by_name(self.source, table)
        return _joined(form, emission.rows(self.state, form, change.write) if change else ())


def create(state: State, everything: Iterable[Change], home: Path, opened: Connect = as_owner) -> None:
    """Replace every source by the new city's rows."""
    changes = _by_source(everything)
    for system in SYSTEMS:
        if system.is_database:
            with opened(system.name) as conn:
                for change in changes[system.name].values():
                    _create_table(conn, change.table)
                    _copy(conn, change.table, _rows(state, change))
                    _add_key(conn, change.table)
                    if system.name in API_SOURCES:
                        _add_order(conn, change.table)
                _mark(conn, state, new=True)
            log.info("source %s is filled", system.name)
        else:
            shutil.rmtree(_folder(home, system), ignore_errors=True)
            _write_files(state, system, changes[system.name], home)


def apply(state: State, changes: Iterable[Change], home: Path, opened: Connect = as_owner) -> None:
    """Bring every source from the step before to this one; a database that is there already is left alone."""
    changed = _by_source(changes)
    for system in SYSTEMS:
        if system.is_database:
            with opened(system.name) as conn:
                if _reached(conn, system.name, state):
                    continue
                for change in changed.get(system.name, {}).values():
                    _apply(conn, state, change)
                _mark(conn, state, new=False)
        elif system.name in changed:
            _write_files(state, system, changed[system.name], home)


def _by_source(changes: Iterable[Change]) -> dict[str, dict[str, Change]]:
    found: dict[str, dict[str, Change]] = {}
    for change in changes:
        found.setdefault(change.table.source, {})[change.table.name] = change
    return found


def _write_files(state: State, system: System, changes: Mapping[str, Change], home: Path) -> None:
    if system.write is not None:
        system.write(state, Shown(state, system.name, changes), _folder(home, system))


def _folder(home: Path, system: System) -> Path:
    return home / "sources" / system.name


def _joined(table: SourceTable, parts: Iterable[pa.Table]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name, _ in table.columns])
    texts = [part.cast(schema) for part in parts]
    return pa.concat_tables(texts) if texts else schema.empty_table()


def _rows(state: State, change: Change) -> Iterator[pa.Table]:
    return emission.rows(state, change.table, change.write)


def _create_table(conn: Connection, table: SourceTable) -> None:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in table.columns
    )
    name = sql.Identifier("public", table.name)
    conn.execute(sql.SQL("drop table if exists {}").format(name))
    conn.execute(sql.SQL("create table {} ({})").format(name, columns))


def _add_key(conn: Connection, table: SourceTable) -> None:
    statement = sql.SQL("alter table {} add primary key ({})")
    conn.execute(statement.format(sql.Identifier("public", table.name), sql.Identifier(table.key)))


def _add_order(conn: Connection, table: SourceTable) -> None:
    """Index the order in which APIs list their rows: else each page sorts the whole table."""
    statement = sql.SQL("create index on {} (updated_at, {})")
    conn.execute(statement.format(sql.Identifier("public", table.name), sql.Identifier(table.key)))


def _copy(conn: Connection, table: SourceTable, rows: Iterable[pa.Table]) -> None:
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier("public", table.name),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in table.columns),
    )
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for part in rows:
            block = pa.BufferOutputStream()
            pacsv.write_csv(part, block, options)
            copy.write(memoryview(block.getvalue()))


def _apply(conn: Connection, state: State, change: Change) -> None:
    table = change.table
    statement = sql.SQL("delete from {} where {} = any(%s::{}[])").format(
        sql.Identifier("public", table.name),
        sql.Identifier(table.key),
        sql.SQL(dict(table.columns)[table.key]),
    )
    keys = np.concatenate([change.write, change.delete])
    conn.execute(statement, [table.key_text(state, keys, keys).to_pylist()])
    _copy(conn, table, _rows(state, change))


def _mark(conn: Connection, state: State, *, new: bool) -> None:
    """Record in the source how far it is; with the rows, in one transaction."""
    if new:
        conn.execute("drop table if exists simulator_state")
        conn.execute(
            "create table simulator_state"
            " (city text not null, step integer not null, label text not null, business_date date not null)"
        )
    conn.execute("delete from simulator_state")
    conn.execute(
        "insert into simulator_state values (%s, %s, %s, date '1970-01-01' + %s::int)",
        [state.meta.city, state.meta.step, state.meta.label, state.today],
    )


def _reached(conn: Connection, source: str, state: State) -> bool:
    """Say whether a source holds this step already; DataError if it is not one step behind either."""
    exists = conn.execute("select to_regclass('public.simulator_state') is not null").fetchone()
    row = (
        conn.execute("select city, step, label from simulator_state").fetchone()
        if exists and exists[0]
        else None
    )
    meta = state.meta
    if row == (meta.city, meta.step, meta.label):
        return True
    if row is not None and row[:2] == (meta.city, meta.step - 1):
        return False
    found = "no simulated city" if row is None else f"step {row[1]} ({row[2]}) of city {row[0]}"
    raise DataError(
        f"Source {source} holds {found}, not step {meta.step - 1} of city {meta.city}",
        fix="repeat the change that was interrupted, or make the city anew: huiliu simulate --persons N",
    )
