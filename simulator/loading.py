"""Loading source databases and files.

Each database in one transaction, with the step it has reached beside the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

from huiliu.database import Connection, connect
from huiliu.errors import DataError
from simulator import emission
from simulator.emission import Change
from simulator.state import State
from simulator.systems import DATABASE_SOURCES, by_name, enterprise_registry, veterans
from simulator.systems.source_table import SourceTable

log = logging.getLogger(__name__)
Connect = Callable[[str], Connection]  # source name -> connection as its owner


def as_owner(source: str) -> Connection:
    """Connect to a source's database as its owner."""
    return connect(f"source_owner:{source}")


def create(state: State, everything: Iterable[Change], home: Path, opened: Connect = as_owner) -> None:
    """Replace every source by the new city's rows."""
    changes = {change.table.full_name: change for change in everything}
    for source in DATABASE_SOURCES:
        with opened(source) as conn:
            for name in changes:
                if changes[name].table.source == source:
                    _create_table(conn, changes[name].table)
                    _copy(conn, changes[name].table, _rows(state, changes[name]))
                    _add_key(conn, changes[name].table)
            _mark(conn, state, new=True)
        log.info("source %s is filled", source)
    write_files(state, home, ("veterans", "enterprise_registry"))


def apply(state: State, changes: Iterable[Change], home: Path, opened: Connect = as_owner) -> None:
    """Bring every source from the step before to this one; a database that is there already is left alone."""
    changed = list(changes)
    for source in DATABASE_SOURCES:
        with opened(source) as conn:
            if _reached(conn, source, state):
                continue
            for change in changed:
                if change.table.source == source:
                    _apply(conn, state, change)
            _mark(conn, state, new=False)
    files = {change.table.source for change in changed} - set(DATABASE_SOURCES)
    write_files(state, home, sorted(files))


def write_files(state: State, home: Path, sources: Iterable[str]) -> None:
    """Write the file sources anew, each replaced in one go."""
    if "veterans" in sources:
        rows = _whole(state, by_name("veterans", "service_record"))
        with _replacing(home / veterans.FILE) as target:
            veterans.write(state, rows, target)
    if "enterprise_registry" in sources:
        rows = _whole(state, by_name("enterprise_registry", "enterprise"))
        with _replacing(home / enterprise_registry.FILE) as target:
            enterprise_registry.write(rows, target)


def _whole(state: State, table: SourceTable) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name, _ in table.columns])
    parts = list(emission.rows(state, table, emission.present(state, table)))
    return pa.concat_tables(parts) if parts else schema.empty_table()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.with_name(f".{path.name}.new")
    yield target
    target.replace(path)


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
