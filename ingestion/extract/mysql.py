"""MySQL and MariaDB sources: the server makes texts, keys and hashes; here they become COPY lines.

A row travels as one text. Its fields and nulls are marked with bytes that occur in no UTF-8, so whatever a
field holds cannot be mistaken for them, and a whole block is escaped at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import Copy

from huiliu.errors import DataError
from ingestion import drift
from ingestion.containers.databases import MysqlContainer
from ingestion.extract import database_cursor
from ingestion.extract.database_cursor import cursor_of
from ingestion.extract.database_reading import DatabaseReading
from ingestion.extract.mysql_catalogue import Relation, describe, identifier, json_of, literal
from ingestion.extract.mysql_connection import MysqlConnection, connected, explained
from ingestion.extract.mysql_cursor import Comparison
from ingestion.manifests import TableManifest
from ingestion.records import Days, Extracted, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

_NULL, _FIELD_END, _ROW_END = b"\xff", b"\xfe", b"\xfd"
_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"), (_NULL, b"\\N"))
_SUSPECT = (b"\0", b"\xed")  # NUL, and the first byte of surrogates: neither is text in PostgreSQL
_KEYS_A_QUERY = 30_000  # 2 MB: half of what the smallest server takes


def extract(
    spec: SourceSpec, container: MysqlContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Copy what is wanted of a table from one snapshot."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        with explained(where, spec.name):
            relation = describe(conn, table, where)
        new = stage.columns_of(where, relation.types)
        database_cursor.check(where, table, relation.types)
        return _MysqlReading(conn, spec.name, table, relation, stage, new).read(wanted)


def probe(spec: SourceSpec, container: MysqlContainer, table: TableSpec) -> str:
    """Compare the table's columns with the spec, and see that they may be read."""
    where = f"{spec.name}.{table.name}"
    with connected(spec.name, where, container.timeout_seconds) as conn:
        with explained(where, spec.name):
            relation = describe(conn, table, where)
        drift.check(where, table, relation.types, {})
        database_cursor.check(where, table, relation.types)
        columns = ", ".join(identifier(column.at_source) for column in table.columns)
        with explained(where, spec.name), conn.cursor() as cursor:
            cursor.execute(_select(columns, relation.name, "true limit 1"))
            found = cursor.fetchone()
    if found is None and not table.may_be_empty:
        raise DataError(f"{where}: the table is empty", fix="ask the department for its data")
    return f"{len(relation.columns)} columns, about {relation.estimate:,} rows"


class _MysqlReading(DatabaseReading):
    """One table read from one snapshot."""

    def __init__(
        self,
        conn: MysqlConnection,
        source: str,
        table: TableSpec,
        relation: Relation,
        stage: Stage,
        new: Sequence[str],
    ) -> None:
        super().__init__(relation.where, table, stage)
        self.conn = conn
        self.source = source
        self.relation = relation
        self.keys_unique = relation.keys_unique
        self.columns = {column.name: relation.columns[column.at_source] for column in table.columns}
        self.extra = json_of(relation, new) if new else None
        self.key = _digest([self._hashed(name) for name in table.key or table.column_names])
        self.hash = _digest(
            [*(self._hashed(name) for name in table.column_names), *([self.extra] if self.extra else [])]
        )

    def stage_rows(
        self, *, since: str | None = None, days: Days | None = None, keys: Sequence[str] | None = None
    ) -> int:
        """Stage rows, with keys (and hashes, where they are compared with what is known)."""
        fields = [column.or_else("x'ff'") for column in self.columns.values()]
        if self.extra:
            fields.append(f"ifnull({self.extra}, x'ff')")
        fields += [self.key] if self.stage.direct else [self.key, self.hash]
        with self.stage.blocks("text", extra=self.extra is not None) as sink:
            return sum(
                self._pass_on(fields, sink, condition) for condition in self._conditions(since, days, keys)
            )

    def stage_keys(self) -> int:
        """Stage the key of every row."""
        with self.stage.keys("text") as sink:
            return self._pass_on([_as_bytes(self.key)], sink)

    def stage_fingerprints(self) -> int:
        """Stage the key and hash of every row."""
        with self.stage.fingerprints("text") as sink:
            return self._pass_on([_as_bytes(self.key), self.hash], sink)

    def greatest(self) -> str | None:
        """Ask for the greatest value of the mode's column."""
        column, kind = cursor_of(self.table)
        query = Comparison(self.columns[column], kind).greatest(
            self.relation.name, self.stage.batch.business_date
        )
        (found,) = self._ask(query)
        if found is None:
            return None
        text = str(found)
        return text.rstrip("0").rstrip(".") if kind == "number" and "." in text else text

    def count_rows(self) -> int:
        """Count the rows of the table."""
        (rows,) = self._ask(_select("count(*)", self.relation.name, None))
        return int(str(rows))

    def control_values(self, said: TableManifest) -> list[object]:
        """Ask the control table."""
        relation = ".".join(identifier(name) for name in said.relation.split("."))
        condition = f"{identifier(said.table_column)} = {literal(self.table.relation)} limit 2"
        return self._ask(_select(identifier(said.rows_column), relation, condition))

    def _ask(self, query: str) -> list[object]:
        with explained(self.where, self.source), self.conn.cursor() as cursor:
            cursor.execute(query)
            return [value for (value,) in cursor.fetchall()]

    def _hashed(self, name: str) -> str:
        return self.columns[name].or_else("x'02'")

    def _conditions(
        self, since: str | None, days: Days | None, keys: Sequence[str] | None
    ) -> Iterator[str | None]:
        """Return a condition for each query that is needed."""
        if keys is not None:
            for start in range(0, len(keys), _KEYS_A_QUERY):
                listed = ", ".join(f"x'{key.encode().hex()}'" for key in keys[start : start + _KEYS_A_QUERY])
                # As bytes: compared as texts, by a collation, it would take twice as long.
                yield f"{_as_bytes(self.key)} in ({listed})"
        elif since is not None:
            column, kind = cursor_of(self.table)
            yield Comparison(self.columns[column], kind).since(since)
        elif days is not None:
            yield Comparison(self.columns[str(self.table.days_column)], "time").within(days)
        else:
            yield None

    def _pass_on(self, fields: Sequence[str], sink: Copy, condition: str | None = None) -> int:
        line = f"concat_ws(x'fe', {', '.join(fields)})"
        read = 0
        for rows, block in self._blocks(_select(line, self.relation.name, condition)):
            if any(byte in block for byte in _SUSPECT):
                block, refused = self._without_refused(block, read)
                read -= refused
            sink.write(_as_copy_lines(block))
            read += rows
        return read

    def _blocks(self, query: str) -> Iterator[tuple[int, bytes]]:
        # A generator, so that only the source's errors pass here, and never those of the sink.
        with explained(self.where, self.source):
            yield from self.conn.blocks(query, _ROW_END)

    def _without_refused(self, block: bytes, before: int) -> tuple[bytes, int]:
        """Take the rows out that PostgreSQL cannot hold, and note them."""
        kept: list[bytes] = []
        rows = block.split(_ROW_END)[:-1]
        for place, row in enumerate(rows, start=before + 1):
            reason = _refusal(row)
            if reason is None:
                kept.append(row + _ROW_END)
            else:
                fields = [_readable(field) for field in row.replace(_NULL, b"").split(_FIELD_END)]
                key = fields[-1 if self.stage.direct else -2]
                self.reject(key, place, " | ".join(fields[: len(self.columns)]), reason)
        return b"".join(kept), len(rows) - len(kept)


def _as_copy_lines(block: bytes) -> bytes:
    for byte, escaped in _ESCAPES:
        block = block.replace(byte, escaped)
    return block.replace(_FIELD_END, b"\t").replace(_ROW_END, b"\n")


def _refusal(row: bytes) -> str | None:
    """Say why a row is no text to PostgreSQL; None if it is."""
    if b"\0" in row:
        return "a NUL character, which texts cannot hold"
    try:
        row.replace(_NULL, b"").replace(_FIELD_END, b"").decode()
    except UnicodeDecodeError:
        return "bytes that are no UTF-8"
    return None


def _readable(field: bytes) -> str:
    return field.decode(errors="backslashreplace")


def _digest(texts: Sequence[str]) -> str:
    """The md5 of `row_hash`; a null in the last place, as `_extra` may be, is left out by concat_ws."""
    return f"md5({texts[0]})" if len(texts) == 1 else f"md5(concat_ws(x'1f', {', '.join(texts)}))"


def _as_bytes(expression: str) -> str:
    return f"cast({expression} as binary)"


def _select(expression: str, relation: str, condition: str | None) -> str:
    return " ".join(["select", expression, "from", relation, *(["where", condition] if condition else [])])
