"""Comparing what was read with what is known, and appending only the differences to the change log."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from huiliu.errors import ConfigError, DataError
from ingestion import withheld
from ingestion.last_load import LastLoad
from ingestion.modes import Append, Snapshot
from ingestion.raw_table import RawTable, value
from ingestion.records import Extracted
from ingestion.shape import Shape
from ingestion.stage import Stage

SPARED_DELETES = 5  # a share of a tiny table says nothing


@dataclass(frozen=True)
class Changes:
    """How many rows a batch inserted, updated and deleted, and how many the table now has."""

    inserted: int
    updated: int
    deleted: int
    current: int


def apply(
    stage: Stage, extracted: Extracted, last: LastLoad, *, may_repeat: bool, back_fill: bool = False
) -> Changes:
    """Compare the stage with the last state and append the differences to the change log.

    `may_repeat`: the source may show a row more than once in one reading. `back_fill`: only some days were
    read, in which there may be nothing. Raises DataError, before anything
    is written, if the source lost more rows than its spec allows, or has none at the first load.
    """
    if stage.direct and not extracted.rows and not back_fill:
        _check_may_be_empty(stage.place)
    merged = 0 if extracted.keys_unique else _part_repeated_keys(stage, may_repeat=may_repeat)
    if stage.direct:
        inserted = extracted.rows - merged
        return Changes(inserted, 0, 0, inserted)
    stage.conn.execute("analyze pg_temp.stage (_row_key, _row_hash)")
    before = value(stage.conn, sql.SQL("select count(*) from {}").format(stage.place.current))
    rekeyed = last.shape is not None and last.shape.key != Shape.of(stage.place.table).key
    deleted = _find_deleted(stage, extracted, before, last, rekeyed=rekeyed)
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


def _part_repeated_keys(stage: Stage, *, may_repeat: bool) -> int:
    """Tell rows of the same key apart, or merge them if the mode knows the latest; return how many merged."""
    repeated = sql.SQL("select _row_key from {} {} group by _row_key having count(*) > 1").format(
        stage.target, _of_batch(stage)
    )
    count = value(stage.conn, sql.SQL("select count(*) from ({}) r").format(repeated))
    if not count:
        return 0
    if not isinstance(stage.place.table.mode, Snapshot):
        if not may_repeat:
            raise _not_a_key(stage.place, count)
        return _keep_latest(stage, repeated)
    _number_repeated(stage, repeated)
    return 0


def _not_a_key(place: RawTable, count: int) -> DataError:
    return DataError(
        f"{place.source}.{place.table.name}: the key {', '.join(place.table.key)} is not unique ({count} keys"
        f" stand more than once)",
        fix="write mode: {type: snapshot}, which tells repeated keys apart, or correct the key",
    )


def _of_batch(stage: Stage) -> sql.Composable:
    """Restrict the change log to the rows of this batch; a temporary stage holds no others."""
    if not stage.direct:
        return sql.SQL("")
    return sql.SQL("where _batch_id = {}").format(sql.Literal(stage.batch.batch_id))


def _number_repeated(stage: Stage, repeated: sql.Composed) -> None:
    """Give later rows of a key a key of their own: key + occurrence number, in order of content."""
    stage.conn.execute(
        sql.SQL(
            "update {target} t set _row_key = md5(t._row_key::text || ':' || n.occurrence)::uuid from ("
            " select ctid, row_number() over (partition by _row_key order by {hash}) as occurrence"
            " from {target} where _row_key in ({repeated})) n"
            " where t.ctid = n.ctid and n.occurrence > 1"
        ).format(target=stage.target, repeated=repeated, hash=stage.place.row_hash)
    )


def _keep_latest(stage: Stage, repeated: sql.Composed) -> int:
    """Of a row met more than once (pages moved, a later file corrects), keep the version with the last value
    of the mode's column, among equals always the same one; without such a column, the one read last."""
    return stage.conn.execute(
        sql.SQL(
            "delete from {target} t using (select ctid, row_number() over (partition by _row_key"
            " order by {order}) as place"
            " from {target} where _row_key in ({repeated})) n where t.ctid = n.ctid and n.place > 1"
        ).format(target=stage.target, order=_latest_first(stage), repeated=repeated)
    ).rowcount


def _latest_first(stage: Stage) -> sql.Composable:
    cursor = stage.place.table.cursor
    if cursor is None or cursor.column is None:
        return sql.SQL("ctid desc")  # COPY writes rows in the order in which they come
    column: sql.Composable = sql.Identifier(cursor.column)
    if cursor.kind == "number":
        column = number(column)
    return sql.SQL("{} desc nulls last, {} desc").format(column, stage.place.row_hash)


def number(text: sql.Composable) -> sql.Composed:
    """Return the expression of a text's number, null where it is none."""
    return sql.SQL("case when {0} ~ '^-?[0-9]+(\\.[0-9]+)?$' then {0}::numeric end").format(text)


def _find_deleted(stage: Stage, extracted: Extracted, before: int, last: LastLoad, *, rekeyed: bool) -> int:
    table = stage.place.table
    if isinstance(table.mode, Append):
        if rekeyed and before:
            raise _new_key_of_append(stage.place)
        return 0
    if not (extracted.complete or extracted.keys_read):
        return 0
    if extracted.keys_read and not (stage.compared or extracted.keys_unique) and table.key:
        _check_keys(stage)
    stage.gone(by_keys=extracted.keys_read)
    withheld.take_out(stage, extracted, last)
    deleted = value(stage.conn, sql.SQL("select count(*) from pg_temp.gone"))
    if deleted:
        seen_rows = sql.Identifier("pg_temp", "stage_key" if extracted.keys_read else "stage")
        seen = value(stage.conn, sql.SQL("select count(*) from {}").format(seen_rows))
        # With another key every row is another: then only fewer rows mean rows deleted.
        _check_breakers(stage.place, seen, max(before - seen, 0) if rekeyed else deleted, before)
    return deleted


def _new_key_of_append(place: RawTable) -> ConfigError:
    return ConfigError(
        f"{place.source}.{place.table.name}: its key is another than that of the rows that landed, which"
        f" append never takes back",
        fix="write the key as it was, or list the table under a new name",
    )


def _check_keys(stage: Stage) -> None:
    """Refuse a key that two rows of the source share: one would silently replace the other."""
    count = value(
        stage.conn,
        sql.SQL(
            "select count(*) from (select from pg_temp.stage_key group by _row_key having count(*) > 1) r"
        ),
    )
    if count:
        raise _not_a_key(stage.place, count)


def _check_breakers(place: RawTable, seen: int, deleted: int, before: int) -> None:
    where, share = f"{place.source}.{place.table.name}", place.table.max_delete_share
    fix = (
        f"ask the department; if it is true, load it with `huiliu ingest {place.source} --accept-deletions`"
        f" or trigger ingest_{place.source} with accept_deletions"
    )
    if not seen and share < 1:
        raise DataError(f"{where}: the source has none of the {before} rows it had at the last load", fix=fix)
    if deleted > max(SPARED_DELETES, share * before):
        raise DataError(
            f"{where}: {deleted} of {before} rows were deleted at the source, more than the allowed"
            f" {share:.0%}",
            fix=fix,
        )


def _append_changed(stage: Stage) -> tuple[int, int]:
    row = stage.conn.execute(
        sql.SQL(
            "with changed as ("
            " insert into {raw} ({columns}, _extra, _row_key, _op, _batch_id, _loaded_on)"
            " select {staged}, s._extra, s._row_key, case when c._row_key is null then 'I' else 'U' end,"
            " %(batch)s, %(day)s from pg_temp.stage s left join {current} c on c._row_key = s._row_key"
            " where c._row_hash is distinct from s._row_hash returning _row_key, _op),"
            " kept as (insert into {current} (_row_key, _row_hash)"
            " select _row_key, s._row_hash from changed join pg_temp.stage s using (_row_key)"
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
            "insert into {raw} ({columns}, _extra, _row_key, _op, _batch_id, _loaded_on)"
            " select distinct on (r._row_key) {last}, r._extra, r._row_key, 'D', %(batch)s, %(day)s"
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


def check_declared_types(stage: Stage) -> None:
    """Refuse a batch in which a column of an untyped source (file, API) no longer holds what its spec says.

    Single odd values are landed as they came and judged later; a column of which more than `max_reject_share`
    is odd is another column.
    """
    declared = [
        column
        for column in stage.place.table.columns
        if column.type not in (None, "text") and stage.present.get(column.at_source) is None
    ]
    if not declared:
        return
    counts = sql.SQL(", ").join(
        sql.SQL(
            "count(nullif(btrim({0}), '')), count(*) filter (where btrim({0}) <> '' and btrim({0}) !~ {1})"
        ).format(sql.Identifier(column.name), sql.Literal(_FORMS[str(column.type)]))
        for column in declared
    )
    row = stage.conn.execute(
        sql.SQL("select {} from {} {}").format(counts, stage.target, _of_batch(stage))
    ).fetchone()
    found = row or ()
    wrong = [
        f"{column.at_source} is declared {column.type}, and {odd} of {filled} values are not"
        for column, filled, odd in zip(declared, found[::2], found[1::2], strict=True)
        if odd > max(1, stage.place.table.max_reject_share * filled)
    ]
    if wrong:
        raise DataError(
            f"{stage.place.source}.{stage.place.table.name}: column {'; '.join(wrong)}",
            fix="ask the department what the column now holds; then correct type or source_name in the spec",
        )


_FORMS = {
    "number": r"^[-+]?[0-9０-９,，]+([.．][0-9０-９]+)?([eE][-+]?[0-9]+)?[%％]?$",
    "date": r"^[0-9０-９]{4}([-/.年]?[0-9０-９]{1,2}([-/.月]?([0-9０-９]{1,2}日?)?)?)?([ T].*)?$",
    "timestamp": r"^[0-9]{4}[-/.年]?[0-9]{1,2}[-/.月]?[0-9]{1,2}日?([ T]?[0-9]{1,2}:?[0-9]{2}.*)?$",
    "boolean": r"^([01]|[ynYN]|[tfTF]|true|false|TRUE|FALSE|是|否|有|无)$",
}
