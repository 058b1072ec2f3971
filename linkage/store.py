"""What linkage reads from the warehouse and writes to it: COPY, through files in a private folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
from psycopg import sql

from huiliu.database import Connection
from linkage import frames

_BLOCK = 1 << 20
RECORDS, PEOPLE = ("base", "int_record_described"), ("base", "int_identity_described")

_RECORDS = """
select
    identifier_key, source, name, sex, birth_date, birth_year, pid_claimed, region_code, relative_name,
    relative_kind, event_on
from {described}
"""
_PEOPLE = """
select
    identifier_key, pid, name, array_to_string(names, '|') as names, sex, birth_date,
    array_to_string(spouse_names, '|') as spouse_names, array_to_string(region_codes, '|') as region_codes,
    died_on
from {described}
"""
# Whom people are shown, and a digest of what tells them apart: who moves or marries stays who they are.
_SUBJECTS = """
select
    identifier_key, false as is_person, source, name, sex,
    coalesce(birth_date::text, birth_year::text) as born,
    pid_claimed as pid, relative_name as spouses, region_code as regions, event_on, null::date as died_on,
    md5(jsonb_build_array(
        name, sex, birth_date, birth_year, pid_claimed, region_code, relative_name, relative_kind, event_on
    )::text) as content
from {records}
union all
select
    identifier_key, true, null, name, sex, birth_date::text, pid, array_to_string(spouse_names, '、'),
    array_to_string(region_codes, '、'), null, died_on, md5(jsonb_build_array(name, sex, birth_date)::text)
from {people}
"""
_AMONG = "where identifier_key in (select key from {keys})"


class Store:
    """A connection to the warehouse and a DuckDB beside it, with a folder for what goes from one to the
    other."""

    def __init__(self, conn: Connection, database: duckdb.DuckDBPyConnection, folder: Path) -> None:
        """Use connections and a folder that belong to the caller."""
        self.conn, self.database, self._folder = conn, database, folder

    def fetch(self, query: sql.Composable, table: str, columns: Mapping[str, str]) -> None:
        """Make a table of DuckDB from a query of the warehouse; ``columns`` are its names and DuckDB
        types."""
        file = self._folder / f"{table}.csv"
        copied = sql.SQL("copy ({}) to stdout (format csv)").format(query)
        with self.conn.cursor() as cursor, cursor.copy(copied) as blocks, file.open("wb") as out:
            for block in blocks:
                out.write(block)
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        self.database.execute(
            f"create or replace table {table} as"
            f" from read_csv('{file}', columns = {{{types}}}, header = false,"
            " auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '')"
        )
        file.unlink()

    def send(self, query: str, table: str, columns: Mapping[str, str]) -> None:
        """Make a temporary table of the warehouse from a query of DuckDB; ``columns`` are names and types
        there."""
        file = self._folder / f"{table}.csv"
        self.database.execute(f"copy ({query}) to '{file}' (format csv, header false)")
        made = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
        )
        with self.conn.cursor() as cursor:
            cursor.execute(
                sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(table), made)
            )
            copying = sql.SQL("copy {} from stdin (format csv)").format(sql.Identifier(table))
            with cursor.copy(copying) as copy, file.open("rb") as source:
                while block := source.read(_BLOCK):
                    copy.write(block)
            cursor.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))
        file.unlink()

    def number(self, query: str) -> int:
        """Return the one number that a query of DuckDB gives."""
        [(value,)] = self.database.execute(query).fetchall()
        return int(value)

    def describe_records(self, keys: str | None = None) -> None:
        """Make the table described_record as dbt made it, of everybody or of the keys in a temporary table
        of the warehouse."""
        self.fetch(_described(_RECORDS, RECORDS, keys), "described_record", frames.RECORD_COLUMNS)

    def compare_records(self, keys: str | None = None) -> None:
        """Make described_record and record, as it is compared."""
        self.describe_records(keys)
        frames.make_records(self.database, "described_record", "record")

    def compare_people(self, keys: str | None = None) -> None:
        """Make described_person and person, as it is compared."""
        self.fetch(_described(_PEOPLE, PEOPLE, keys), "described_person", frames.PERSON_COLUMNS)
        frames.make_people(self.database, "described_person", "person")


def _described(query: str, table: tuple[str, str], keys: str | None) -> sql.Composed:
    described = sql.SQL(query).format(described=sql.Identifier(*table))
    return described if keys is None else described + sql.SQL(_AMONG).format(keys=sql.Identifier(keys))


def subjects() -> sql.Composed:
    """Return the query of all records and people as they are shown, with a digest of who they are."""
    return sql.SQL(_SUBJECTS).format(records=sql.Identifier(*RECORDS), people=sql.Identifier(*PEOPLE))
