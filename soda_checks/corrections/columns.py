"""The columns of a department's correction list, the same in its files and in its front-end table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from psycopg import sql


@dataclass(frozen=True)
class ListColumn:
    """A column of `quality.correction_list`: its type, its Chinese heading and its width in a workbook."""

    name: str
    type: Literal["bigint", "date", "text"]
    heading: str
    width: int


COLUMNS = (
    ListColumn("correction_id", "bigint", "编号", 10),
    ListColumn("source", "text", "来源", 20),
    ListColumn("table_title", "text", "数据表", 20),
    ListColumn("record_key", "text", "记录号", 38),
    ListColumn("column_label", "text", "字段", 16),
    ListColumn("rule", "text", "规则", 30),
    ListColumn("problem", "text", "问题", 42),
    ListColumn("value", "text", "值（脱敏）", 22),
    ListColumn("batch_id", "bigint", "批次", 10),
    ListColumn("opened_on", "date", "发现日期", 12),
    ListColumn("due_on", "date", "应于何日前更正", 16),
    ListColumn("status", "text", "状态", 26),
    ListColumn("urged", "text", "催办级别", 16),
    ListColumn("reopened_from", "bigint", "前次编号", 10),
    ListColumn("closed_on", "date", "关闭日期", 12),
)

NAMES = sql.SQL(", ").join(sql.Identifier(column.name) for column in COLUMNS)

ROW_HASH = sql.SQL("md5(jsonb_build_array({})::text)").format(NAMES)
"""SQL for the hash of a row, the same in the warehouse and at the destination."""

RECEIPT = sql.SQL("count(*), coalesce(sum(('x' || substr({}, 1, 15))::bit(60)::bigint), 0)::text").format(
    ROW_HASH
)
"""SQL for rows and checksum of a list, whatever the order of its rows (docs/return_flow.md)."""
