"""The ledger of files that are read once (append): what was read, in which order, and how it looked then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huiliu.database import Connection
from ingestion.records import ReadFile


@dataclass(frozen=True)
class Reading:
    """How a file looked when it was last read; the batch in which it was first read so, which gives its place
    among the others; and whether its rows landed with the columns asked for since other columns did."""

    file: ReadFile
    batch_id: int
    is_current: bool

    @property
    def place(self) -> tuple[int, str]:
        return self.batch_id, self.file.path


def readings(conn: Connection, source: str, table: str, shape: str) -> dict[str, Reading]:
    """Return, by path, the readings of a table's files; `shape` says the columns asked for."""
    rows = conn.execute(
        "with read as (select * from ops.read_file where source = %(source)s and table_name = %(table)s),"
        " latest as (select distinct on (path) * from read order by path, batch_id desc),"
        " changed as (select path, max(read.batch_id) as batch_id from read join latest using (path)"
        " where read.checksum <> latest.checksum group by path),"
        " first as (select path, min(read.batch_id) as batch_id from read left join changed using (path)"
        " where read.batch_id > coalesce(changed.batch_id, 0) group by path)"
        " select path, latest.size, latest.modified_at, latest.checksum, first.batch_id,"
        " load_run.shape = %(shape)s and latest.batch_id > coalesce((select max(batch_id) from ops.load_run"
        " where source = %(source)s and table_name = %(table)s and status = 'landed'"
        " and shape <> %(shape)s), 0)"
        " from latest join first using (path) join ops.load_run on load_run.batch_id = latest.batch_id",
        {"source": source, "table": table, "shape": shape},
    )
    return {
        path: Reading(ReadFile(path, size, modified_at, checksum), batch_id, bool(is_current))
        for path, size, modified_at, checksum, batch_id, is_current in rows
    }


def remember_files(
    conn: Connection, batch_id: int, source: str, table: str, files: Sequence[ReadFile]
) -> None:
    """Write down the files of a batch, within the transaction that lands it."""
    if not files:
        return
    with conn.cursor().copy(
        "copy ops.read_file (source, table_name, path, size, modified_at, checksum, batch_id) from stdin"
    ) as sink:
        for file in files:
            sink.write_row((source, table, file.path, file.size, file.modified_at, file.checksum, batch_id))
