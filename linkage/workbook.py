"""The workbook in which people decide whom records are of: its columns, how it is written and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import xlsxwriter

SAME, DIFFERENT = "同一人", "不是同一人"
_DECISIONS = {SAME: "same", DIFFERENT: "different"}
HEADER = (
    "记录键", "候选键", "来源", "记录姓名", "候选姓名", "记录性别", "候选性别", "记录出生", "候选出生",
    "记录证件号", "候选证件号", "记录配偶", "候选配偶", "记录地区", "候选地区", "事件日期", "死亡日期",
    "匹配权重", "匹配概率", "提示", "原裁决", "裁决", "裁决人", "理由", "内容摘要",
)  # fmt: skip
_RECORD, _CANDIDATE, _DECISION, _WHO, _WHY, _SEEN = (
    HEADER.index(title) for title in ("记录键", "候选键", "裁决", "裁决人", "理由", "内容摘要")
)
_SHEET = "待裁决"


@dataclass(frozen=True)
class Decision:
    """What a row of the workbook says of a record and a candidate, which may be a record too.

    ``seen``: the digest of what stood there when the workbook was written.
    """

    row: int
    record: str
    candidate: str
    decision: str
    decided_by: str
    reason: str | None
    seen: str | None


def write(file: Path, found: Sequence[tuple[Any, ...]]) -> None:
    """Write rows to decide, in the order of HEADER, to a workbook that only its owner may read."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    # A name may begin like a formula.
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet = workbook.add_worksheet(_SHEET)
        sheet.write_row(0, 0, HEADER, workbook.add_format({"bold": True}))
        for place, row in enumerate(found, start=1):
            sheet.write_row(place, 0, row)
        sheet.freeze_panes(1, 0)
        sheet.autofit()
        sheet.autofilter(0, 0, max(len(found), 1), len(HEADER) - 1)
        sheet.data_validation(
            1, _DECISION, max(len(found), 1), _DECISION, {"validate": "list", "source": list(_DECISIONS)}
        )


def read(file: Path) -> tuple[list[Decision], list[str]]:
    """Return the decisions of a workbook, and what is wrong in it, by row."""
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        rows = workbook.worksheets[0].iter_rows(values_only=True)
        if tuple(next(rows, ()))[: len(HEADER)] != HEADER:
            return [], ["the first row is not the header of an exported review"]
        return _decided(rows)
    finally:
        workbook.close()


def _decided(rows: Iterator[tuple[Any, ...]]) -> tuple[list[Decision], list[str]]:
    decisions: list[Decision] = []
    wrong: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, start=2):
        cells = [str(value).strip() if value is not None else "" for value in row]
        cells += [""] * (len(HEADER) - len(cells))
        if not cells[_DECISION]:
            continue
        problem = _problem(cells)
        if problem:
            wrong.append(f"row {number}: {problem}")
            continue
        pair = (str(UUID(cells[_RECORD])), str(UUID(cells[_CANDIDATE])))
        if seen.setdefault(pair, number) != number:
            wrong.append(f"row {number}: the same pair stands in row {seen[pair]}")
            continue
        decisions.append(
            Decision(
                number,
                *pair,
                _DECISIONS[cells[_DECISION]],
                cells[_WHO],
                cells[_WHY] or None,
                cells[_SEEN] or None,
            )
        )
    return decisions, wrong


def _problem(cells: Sequence[str]) -> str | None:
    if cells[_DECISION] not in _DECISIONS:
        return f'裁决 must be "{SAME}" or "{DIFFERENT}"'
    if not cells[_WHO]:
        return "裁决人 is missing"
    try:
        return "记录键 and 候选键 are the same" if UUID(cells[_RECORD]) == UUID(cells[_CANDIDATE]) else None
    except ValueError:
        return "记录键 or 候选键 is not a key of the export"
