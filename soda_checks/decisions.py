"""What people decide about a held batch: release it as it is, or set it aside for later versions."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import ConfigError, DataError
from soda_checks.gate import LOCK, decide, strike_off

REASON_LENGTH = 4
"""Characters that a reason has at least, those around it not counted: a word that says something."""

_STATES = {
    None: "尚未经过闸门，未被扣留",
    "passed": "已通过闸门，未被扣留",
    "released": "已经放行，无须再决定",
    "replaced": "已经作废，无须再决定",
}


@dataclass(frozen=True)
class HeldBatch:
    """A batch that a person decides about. `is_held`: until now; else it was decided so before.

    ``rows``: changes it brought; ``quarantined``: of them unusable; ``waiting``: batches behind it.
    """

    batch_id: int
    source: str
    table_name: str
    is_held: bool
    rows: int
    quarantined: int
    waiting: int


def release(batch_id: int, *, by: str, reason: str) -> HeldBatch:
    """Let a held batch pass as it is; the same decision said again changes nothing.

    DataError if it is not held; ConfigError without a name and a reason of REASON_LENGTH characters.
    """
    with connect("warehouse:score") as connection, advisory_lock(connection, LOCK):
        batch = _to_decide(connection, batch_id, "released", by, reason)
        if batch.is_held:
            decide(connection, batch_id, "released", by.strip(), reason.strip())
            strike_off(connection)
        connection.commit()
    return batch


def replace(batch_id: int, *, by: str, reason: str) -> HeldBatch:
    """Set a held batch aside for good, as later landed batches hold newer versions of all its rows.

    Those batches need not have passed: a build claims the batch only with versions of all its rows that have
    (transformation.ledger.claimable). The same decision said again changes nothing. DataError if it is not
    held, or if any row of it is in no later batch (it would be lost); ConfigError as for `release`.
    """
    with connect("warehouse:score") as connection, advisory_lock(connection, LOCK):
        batch = _to_decide(connection, batch_id, "replaced", by, reason)
        if batch.is_held:
            _refuse_loss(connection, batch)
            decide(connection, batch_id, "replaced", by.strip(), reason.strip())
        connection.commit()
    return batch


def _to_decide(connection: Connection, batch_id: int, decision: str, by: str, reason: str) -> HeldBatch:
    if not by.strip() or len(reason.strip()) < REASON_LENGTH:
        raise ConfigError(
            f"决定须有经办人和至少 {REASON_LENGTH} 个字的理由"
            f" / a decision needs a name and a reason of {REASON_LENGTH} characters or more",
            fix="填写后重新触发 / give both: the form's fields, or --by and --reason",
        )
    row = connection.execute(
        """
        select source, table_name, gate.status,
            coalesce((gate.status, gate.decided_by, gate.reason) = (%s, %s, %s), false),
            coalesce(rows_inserted + rows_updated + rows_deleted, 0), coalesce(rows_quarantined, 0),
            coalesce((select waiting from ops.held_batch where held_batch.batch_id = load_run.batch_id), 0)
        from ops.load_run left join ops.batch_gate as gate using (batch_id) where batch_id = %s
        """,
        (decision, by.strip(), reason.strip(), batch_id),
    ).fetchone()
    source, table_name, status, is_decided, *counts = row or ("", "", None, False)
    if status != "held" and not is_decided:
        state = _STATES[status] if row else "不存在"
        raise DataError(
            f"批次 {batch_id} {state} / batch {batch_id} is not held",
            fix="批次号见“来源台账”页、红色的 check_models 日志或 `huiliu gate` / take the number from there",
        )
    return HeldBatch(batch_id, source, table_name, status == "held", *counts)


def _refuse_loss(connection: Connection, batch: HeldBatch) -> None:
    lost = _rows_only_in(connection, batch)
    if lost:
        place = f"{batch.source}.{batch.table_name}"
        raise DataError(
            f"批次 {batch.batch_id}（{place}）有 {lost} 行在后来的批次中没有，作废会丢失数据"
            f" / {lost} rows of batch {batch.batch_id} ({place}) are in no later batch",
            fix="先整表重采，再作废；或者放行 / reload the table in full first, or release the batch",
        )


def _rows_only_in(connection: Connection, batch: HeldBatch) -> int:
    row = connection.execute(
        sql.SQL(
            """
            select count(*) from {raw} as held
            where held._batch_id = {batch_id} and not exists (
                select from {raw} as newer
                inner join ops.load_run as loaded on newer._batch_id = loaded.batch_id
                where loaded.status = 'landed'
                    and newer._row_key = held._row_key and newer._batch_id > {batch_id}
            )
            """
        ).format(
            raw=sql.Identifier("raw", f"{batch.source}__{batch.table_name}"),
            batch_id=sql.Literal(batch.batch_id),
        )
    ).fetchone()
    return int(row[0]) if row else 0
