"""Comparing what was read with what is known, and appending only the differences to the change log."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import DataError
from ingestion.raw_table import RawTable, value
from ingestion.records import Extracted
from ingestion.spec import Watermark
from ingestion.stage import Stage

SPARED_DELETES = 5  # a share of a tiny table says nothing


@dataclass(frozen=True)
class Changes:
    """How many rows a batch inserted, updated and deleted, and how many the table now has."""

    inserted: int
    updated: int
    deleted: int
    current: int


def apply(stage: Stage, extracted: Extracted) -> Changes:
    """Compare the stage with the last state and append the differences to the change log.

    Raises DataError, before anything is written, if the source lost more rows than its spec allows, or has
    none at the first load.
    """
    conn, place = stage.conn, stage.place
    is_first = stage.direct or place.is_empty(conn)
    if is_first and not extracted.rows:
        _check_may_be_empty(place)
    _part_repeated_keys(stage)
    if stage.direct:
        return Changes(extracted.rows, 0, 0, extracted.rows)
    if is_first:
        inserted = _append_first(stage)
        return Changes(inserted, 0, 0, inserted)
    place.prepare_current(conn)
    conn.execute("analyze pg_temp.stage (_row_key, _row_hash)")
    before = value(conn, sql.SQL("select count(*) from {}").format(place.current))
    deleted = _find_deleted(stage, extracted, before)
    inserted, updated = _append_changed(stage)
    if deleted:
        _append_deleted(stage)
    return Changes(inserted, updated, deleted, before + inserted - deleted)


def _check_may_be_empty(place: RawTable) -> None:
    # Once a table has landed, a person's absence from it is evidence: of an empty table, against everybody.
    if not place.table.may_be_empty:
        raise DataError(
            f"{place.source}.{place.table.name}: the source has no row, and none landed before",
            fix="ask the department for the full data; if there truly is none yet, write may_be_empty: true"
            " for the table in the spec",
        )


def _part_repeated_keys(stage: Stage) -> None:
    conn, target = stage.conn, stage.target
    repeated = sql.SQL("select _row_key from {} group by _row_key having count(*) > 1").format(target)
    count = value(conn, sql.SQL("select count(*) from ({}) r").format(repeated))
    if not count:
        return
    watermark = isinstance(stage.place.table.mode, Watermark)
    if watermark and stage.hashed:
        where = f"{stage.place.source}.{stage.place.table.name}"
        raise DataError(
            f"{where}: the key {', '.join(stage.place.table.key)} is not unique ({count} keys stand"
            f" more than once)",
            fix="write mode: {type: snapshot}, which tells repeated keys apart, or correct the key",
        )
    if not stage.hashed:
        conn.execute("alter table pg_temp.stage alter column _row_key drop expression")
    if watermark:
        _keep_latest(stage, repeated)
    else:
        _number_repeated(conn, target, repeated)


def _number_repeated(conn: Connection, target: sql.Composable, repeated: sql.Composed) -> None:
    """Give later rows of a key a key of their own: key + occurrence number, in order of content."""
    conn.execute(
        sql.SQL(
            "update {target} t set _row_key = md5(t._row_key::text || ':' || n.occurrence)::uuid from ("
            " select ctid, row_number() over (partition by _row_key order by _row_hash) as occurrence"
            " from {target} where _row_key in ({repeated})) n"
            " where t.ctid = n.ctid and n.occurrence > 1"
        ).format(target=target, repeated=repeated)
    )


def _keep_latest(stage: Stage, repeated: sql.Composed) -> None:
    """Of a row met twice while pages moved, keep the version with the later watermark."""
    mode = stage.place.table.mode
    column = sql.Identifier(mode.column) if isinstance(mode, Watermark) else sql.SQL("_row_hash")
    stage.conn.execute(
        sql.SQL(
            "delete from {target} t using (select ctid, row_number() over (partition by _row_key"
            " order by {column} desc)"
            " as place from {target} where _row_key in ({repeated})) n where t.ctid = n.ctid and n.place > 1"
        ).format(target=stage.target, column=column, repeated=repeated)
    )


def _find_deleted(stage: Stage, extracted: Extracted, before: int) -> int:
    if not (extracted.complete or extracted.keys_read):
        return 0
    seen_rows = sql.Identifier("pg_temp", "stage" if extracted.complete else "stage_key")
    stage.conn.execute(
        sql.SQL(
            "create temporary table gone on commit drop as select c._row_key from {} c"
            " where not exists (select from {} s where s._row_key = c._row_key)"
        ).format(stage.place.current, seen_rows)
    )
    deleted = value(stage.conn, sql.SQL("select count(*) from pg_temp.gone"))
    seen = value(stage.conn, sql.SQL("select count(*) from {}").format(seen_rows))
    _check_breakers(stage.place, seen, deleted, before)
    return deleted


def _check_breakers(place: RawTable, seen: int, deleted: int, before: int) -> None:
    where, share = f"{place.source}.{place.table.name}", place.table.max_delete_share
    fix = (
        f"ask the department; if it is true, load it with `huiliu ingest {place.source} --accept-deletions`"
        f" or trigger ingest_{place.source} with accept_deletions"
    )
    if before and not seen and share < 1:
        raise DataError(f"{where}: the source has none of the {before} rows it had at the last load", fix=fix)
    if deleted > max(SPARED_DELETES, share * before):
        raise DataError(
            f"{where}: {deleted} of {before} rows were deleted at the source, more than the allowed"
            f" {share:.0%}",
            fix=fix,
        )


def _append_first(stage: Stage) -> int:
    """Append all rows of a first load: nothing to compare with, and indexes are cheaper built later."""
    return stage.conn.execute(
        sql.SQL(
            "insert into {raw} ({columns}, _row_key, _row_hash, _op, _batch_id, _loaded_on)"
            " select {columns}, _row_key, _row_hash, 'I', %s, %s from pg_temp.stage"
        ).format(raw=stage.place.raw, columns=stage.place.columns),
        [stage.batch.batch_id, stage.batch.business_date],
    ).rowcount


def _append_changed(stage: Stage) -> tuple[int, int]:
    row = stage.conn.execute(
        sql.SQL(
            "with changed as ("
            " insert into {raw} ({columns}, _row_key, _row_hash, _op, _batch_id, _loaded_on)"
            " select {staged}, s._row_key, s._row_hash, case when c._row_key is null then 'I' else 'U' end,"
            " %(batch)s, %(day)s from pg_temp.stage s left join {current} c on c._row_key = s._row_key"
            " where c._row_hash is distinct from s._row_hash returning _row_key, _row_hash, _op),"
            " kept as (insert into {current} (_row_key, _row_hash) select _row_key, _row_hash from changed"
            " on conflict (_row_key) do update set _row_hash = excluded._row_hash)"
            " select count(*) filter (where _op = 'I'), count(*) filter (where _op = 'U') from changed"
        ).format(
            raw=stage.place.raw,
            current=stage.place.current,
            columns=stage.place.columns,
            staged=sql.SQL(", ").join(sql.Identifier("s", name) for name in stage.place.table.column_names),
        ),
        {"batch": stage.batch.batch_id, "day": stage.batch.business_date},
    ).fetchone()
    if row is None:
        raise AssertionError("an aggregate returns one row")
    return int(row[0]), int(row[1])


def _append_deleted(stage: Stage) -> None:
    place = stage.place
    stage.conn.execute(
        sql.SQL(
            "insert into {raw} ({columns}, _row_key, _row_hash, _op, _batch_id, _loaded_on)"
            " select distinct on (r._row_key) {last}, r._row_key, r._row_hash, 'D', %(batch)s, %(day)s"
            " from pg_temp.gone g join {raw} r on r._row_key = g._row_key order by r._row_key,"
            " r._batch_id desc"
        ).format(
            raw=place.raw,
            columns=place.columns,
            last=sql.SQL(", ").join(sql.Identifier("r", name) for name in place.table.column_names),
        ),
        {"batch": stage.batch.batch_id, "day": stage.batch.business_date},
    )
    stage.conn.execute(
        sql.SQL("delete from {} c using pg_temp.gone g where c._row_key = g._row_key").format(place.current)
    )
