"""The ledger of files that are read once (append): what was read, and how it looked then."""

from __future__ import annotations

from collections.abc import Sequence

from huiliu.database import Connection
from ingestion.records import ReadFile


def known_files(conn: Connection, source: str, table: str, shape: str) -> dict[str, ReadFile]:
    """Return, by path, how each file of a table looked when it was last read with these columns (`shape`)."""
    rows = conn.execute(
        "select distinct on (path) path, size, modified_at, checksum"
        " from ops.read_file join ops.load_run using (batch_id)"
        " where read_file.source = %s and read_file.table_name = %s and shape = %s"
        " order by path, batch_id desc",
        [source, table, shape],
    )
    return {path: ReadFile(path, size, modified_at, checksum) for path, size, modified_at, checksum in rows}


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
