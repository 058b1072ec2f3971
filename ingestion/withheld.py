"""Deletes that may be none: a record that cannot be read is still at the source, but its key is not seen.

Rows that vanished in a load that also rejected records it had not rejected before are not landed as deleted.
They wait until no record of the table is rejected any more; rows that vanish later are deleted as ever.
"""

from __future__ import annotations

from ingestion.last_load import LastLoad
from ingestion.records import Extracted
from ingestion.stage import Stage


def take_out(stage: Stage, extracted: Extracted, last: LastLoad) -> None:
    """Take the keys that are withheld out of pg_temp.gone."""
    conn, place = stage.conn, [stage.place.source, stage.place.table.name]
    if not extracted.rejected:
        conn.execute("delete from ops.withheld_delete where source = %s and table_name = %s", place)
        return
    conn.execute(
        "delete from ops.withheld_delete w where source = %s and table_name = %s"
        " and not exists (select from pg_temp.gone g where g._row_key = w.row_key)",
        place,
    )
    if _rejects_are_new(stage, extracted, last):
        conn.execute(
            "insert into ops.withheld_delete (source, table_name, row_key, batch_id)"
            " select %s, %s, _row_key, %s from pg_temp.gone on conflict do nothing",
            [*place, stage.batch.batch_id],
        )
    spared = conn.execute(
        "delete from pg_temp.gone g using ops.withheld_delete w"
        " where w.source = %s and w.table_name = %s and w.row_key = g._row_key",
        place,
    ).rowcount
    if spared:
        stage.notices.append(
            f"{spared} rows are not seen any more, but may be among the broken records: they stay until those"
            " are mended"
        )


def _rejects_are_new(stage: Stage, extracted: Extracted, last: LastLoad) -> bool:
    row = stage.conn.execute(
        "select exists (select unnest(%s::text[]) except all"
        " select raw_text from ops.rejected_row where batch_id = %s)",
        [[record.raw_text for record in extracted.rejected], last.batch_id],
    ).fetchone()
    return row is not None and bool(row[0])
