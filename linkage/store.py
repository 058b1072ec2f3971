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
        relative_kind,
    event_on
from {records}
"""
_PEOPLE = """
select
    identifier_key, pid, name, array_to_string(names, '|') as names, sex, birth_date,
    array_to_string(spouse_names, '|') as spouse_names, array_to_string(region_codes, '|') as region_codes,
        died_on
from {people} as person
"""
# Those that a touched record may be, by the keys that pairs are looked for with (settings.py, a little
# wider), and
# those that were touched themselves.
_MET = """
where identifier_key in (
    select key from touched_person
    union all
    select person.identifier_key from {people} as person
    inner join touched_value on person.birth_date = touched_value.birth_date
    union all
    select person.identifier_key from {people} as person
    cross join unnest(array_append(person.names, person.name)) as known (name)
    inner join touched_value on translate(known.name, %(like)s, %(same)s) = touched_value.name_folded
    union all
    select person.identifier_key from {people} as person
    cross join unnest(person.spouse_names) as known (name)
    inner join touched_value
        on translate(known.name, %(like)s, %(same)s) = touched_value.spouse_folded
        and extract(year from person.birth_date)::integer = touched_value.birth_year
)
"""


class Store:
    """A connection to the warehouse and a DuckDB beside it, with a folder for what goes from one to the
    other."""

    def __init__(self, conn: Connection, database: duckdb.DuckDBPyConnection, folder: Path) -> None:
        """Use connections and a folder that belong to the caller."""
        self.conn, self.database, self._folder = conn, database, folder

    def fetch(
        self,
        query: sql.Composable,
        table: str,
        columns: Mapping[str, str],
        values: Mapping[str, object] | None = None,
    ) -> None:
        """Make a table of DuckDB from a query of the warehouse; ``columns`` are its names and DuckDB
        types."""
        file = self._folder / f"{table}.csv"
        copied = sql.SQL("copy ({}) to stdout (format csv)").format(query)
        with self.conn.cursor() as cursor, cursor.copy(copied, values) as blocks, file.open("wb") as out:
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

    def fetch_records(self) -> None:
        """Make the tables described_record, as dbt made it, and record, as it is compared."""
        query = sql.SQL(_RECORDS).format(records=sql.Identifier(*RECORDS))
        self.fetch(query, "described_record", frames.RECORD_COLUMNS)
        frames.make_records(self.database, "described_record", "record")

    def fetch_people(self) -> None:
        """Make the tables described_person and person of everybody."""
        query = sql.SQL(_PEOPLE).format(people=sql.Identifier(*PEOPLE))
        self._compared_people(query, {})

    def fetch_people_met(self) -> None:
        """Make the same tables of those touched, and of those that a record of ``touched_record`` may be."""
        self.send("select key from touched_person", "touched_person", {"key": "uuid"})
        self.send(
            "select distinct name_folded, spouse_folded, birth_date, birth_year from touched_record",
            "touched_value",
            {
                "name_folded": "text", "spouse_folded": "text", "birth_date": "date", "birth_year": "integer",
            },
        )  # fmt: skip
        query = sql.SQL(_PEOPLE + _MET).format(people=sql.Identifier(*PEOPLE))
        like, same = frames.folding()
        self._compared_people(query, {"like": like, "same": same})

    def _compared_people(self, query: sql.Composable, values: Mapping[str, object]) -> None:
        self.fetch(query, "described_person", frames.PERSON_COLUMNS, values)
        frames.make_people(self.database, "described_person", "person")
