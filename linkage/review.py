"""The review band as a workbook for people to decide, and their decisions read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import xlsxwriter
from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import DataError
from linkage.store import PEOPLE, RECORDS

SAME, DIFFERENT = "同一人", "不是同一人"
_DECISIONS = {SAME: "same", DIFFERENT: "different"}
HEADER = (
    "记录键", "候选键", "来源", "记录姓名", "候选姓名", "记录性别", "候选性别", "记录出生", "候选出生",
    "记录证件号", "候选证件号", "记录配偶", "候选配偶", "记录地区", "候选地区", "事件日期", "死亡日期",
    "匹配权重", "匹配概率", "裁决", "裁决人", "理由",
)  # fmt: skip
_RECORD, _CANDIDATE, _DECISION, _WHO, _WHY = (
    HEADER.index(title) for title in ("记录键", "候选键", "裁决", "裁决人", "理由")
)
_CANDIDATES_SHOWN = 5
_SHEET = "待裁决"
_MOST_ERRORS = 20

# Numbers keep the first six digits, as everywhere outside the warehouse.
_EXPORT = """
with asked as (
    select pair.*, row_number() over (
        partition by pair.record_key order by pair.match_weight desc, pair.candidate_key
    ) as place
    from linkage.match
    inner join linkage.pair on match.identifier_key = pair.record_key and pair.candidate_is_person
    left join linkage.decision using (record_key, candidate_key)
    where match.status = 'review' and decision.decision is null
)
select
    record.identifier_key::text,
    person.identifier_key::text,
    record.source,
    record.name,
    person.name,
    case record.sex when '1' then '男' when '2' then '女' end,
    case person.sex when '1' then '男' when '2' then '女' end,
    coalesce(record.birth_date::text, record.birth_year::text),
    person.birth_date::text,
    rpad(left(record.pid_claimed, 6), length(record.pid_claimed), '*'),
    rpad(left(person.pid, 6), length(person.pid), '*'),
    record.relative_name,
    array_to_string(person.spouse_names, '、'),
    record.region_code,
    array_to_string(person.region_codes, '、'),
    record.event_on::text,
    person.died_on::text,
    round(asked.match_weight::numeric, 1)::float,
    asked.match_probability
from asked
inner join {records} as record on asked.record_key = record.identifier_key
inner join {people} as person on asked.candidate_key = person.identifier_key
where asked.place <= %(shown)s
order by asked.record_key, asked.place
"""
_KNOWN = """
select key, exists (select from {people} where identifier_key = key),
    exists (select from {records} where identifier_key = key)
from unnest(%(keys)s::uuid[]) as key
"""
# Who belongs together by decisions, and by links of records about which people decided something.
_TOGETHER = """
select record_key::text, candidate_key::text from linkage.decision where decision = 'same'
    and (record_key, candidate_key) not in (select * from unnest(%(records)s::uuid[], %(candidates)s::uuid[]))
union all
select identifier_key::text, person_key::text from linkage.match
where identifier_key = any(%(joined)s::uuid[]) and status = 'linked'
    and (identifier_key, person_key)
        not in (select * from unnest(%(records)s::uuid[], %(candidates)s::uuid[]))
"""
_WRITE = """
insert into linkage.decision (record_key, candidate_key, decision, decided_by, decided_on, reason)
values (%s, %s, %s, %s, %s, %s)
on conflict (record_key, candidate_key) do update set
    decision = excluded.decision, decided_by = excluded.decided_by, decided_on = excluded.decided_on,
    reason = excluded.reason
"""


@dataclass(frozen=True)
class Decision:
    """What a row of the workbook says of a record and a candidate, which may be a record too."""

    row: int
    record: str
    candidate: str
    decision: str
    decided_by: str
    reason: str | None


def export(conn: Connection, file: Path) -> int:
    """Write the records that wait for people, with their best candidates, to a workbook; return its rows.

    It holds names, births and spouses in full (numbers are masked), so only its owner may read it.
    """
    query = sql.SQL(_EXPORT).format(records=sql.Identifier(*RECORDS), people=sql.Identifier(*PEOPLE))
    found = conn.execute(query, {"shown": _CANDIDATES_SHOWN}).fetchall()
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
    return len(found)


def read(conn: Connection, file: Path, day: date) -> int:
    """Take over the decisions of a workbook, all or none; return how many. They hold from the next build on.

    Raises DataError with the rows that are wrong; a decision that would make two people with valid, different
    numbers one is refused.
    """
    decisions, wrong = _read(file)
    wrong += _unknown(conn, decisions)
    if not wrong:
        people, _ = _kinds(conn, decisions)
        wrong += _merging(conn, decisions, people)
    if wrong:
        more = f" … and {len(wrong) - _MOST_ERRORS} more" if len(wrong) > _MOST_ERRORS else ""
        raise DataError(
            f"{file.name}: no decision was taken over: " + "; ".join(wrong[:_MOST_ERRORS]) + more,
            fix="correct these rows and read the file again",
        )
    with conn.cursor() as cursor:
        cursor.executemany(
            _WRITE,
            [(*_pair(it, people), it.decision, it.decided_by, day, it.reason) for it in decisions],
        )
    return len(decisions)


def _pair(decision: Decision, people: set[str]) -> tuple[str, str]:
    """Return the keys as linkage.pair has them: of two records the smaller first."""
    if decision.candidate in people:
        return decision.record, decision.candidate
    return min(decision.record, decision.candidate), max(decision.record, decision.candidate)


def _read(file: Path) -> tuple[list[Decision], list[str]]:
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
            Decision(number, *pair, _DECISIONS[cells[_DECISION]], cells[_WHO], cells[_WHY] or None)
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


def _kinds(conn: Connection, decisions: Sequence[Decision]) -> tuple[set[str], set[str]]:
    keys = sorted({key for decision in decisions for key in (decision.record, decision.candidate)})
    query = sql.SQL(_KNOWN).format(people=sql.Identifier(*PEOPLE), records=sql.Identifier(*RECORDS))
    found = conn.execute(query, {"keys": keys}).fetchall()
    return {str(key) for key, is_person, _ in found if is_person}, {
        str(key) for key, _, is_record in found if is_record
    }


def _unknown(conn: Connection, decisions: Sequence[Decision]) -> list[str]:
    people, records = _kinds(conn, decisions)
    wrong = []
    for decision in decisions:
        if decision.record in people and decision.candidate in people:
            wrong.append(f"row {decision.row}: both have a valid number of their own: they stay two people")
        elif decision.record not in records:
            wrong.append(f"row {decision.row}: 记录键 is no record without a number (any more)")
        elif decision.candidate not in people | records:
            wrong.append(f"row {decision.row}: 候选键 is neither a person nor a record (any more)")
    return wrong


def _merging(conn: Connection, decisions: Sequence[Decision], people: set[str]) -> list[str]:
    """Return the rows whose decision would bring two people with numbers of their own into one."""
    same = [decision for decision in decisions if decision.decision == "same"]
    pairs = [_pair(decision, people) for decision in decisions]
    # Whom the model found counts where people join records; where they name the person, they overrule it.
    named = {decision.record for decision in same if decision.candidate in people}
    joined = {key for it in same if it.candidate not in people for key in (it.record, it.candidate)} - named
    known = conn.execute(
        _TOGETHER,
        {
            "records": [record for record, _ in pairs],
            "candidates": [candidate for _, candidate in pairs],
            "joined": sorted(joined),
        },
    ).fetchall()
    numbered = people | _numbered(conn, [candidate for _, candidate in known])
    groups = {key: {key} for edge in known for key in edge}
    for one, other in known:
        _unite(groups, one, other)
    wrong = []
    for decision in same:
        one, other = decision.record, decision.candidate
        together = groups.get(one, {one}) | groups.get(other, {other})
        if len(together & numbered) > 1:
            wrong.append(
                f"row {decision.row}: would make two people with valid, different numbers one"
                f" (first decide which of them is {DIFFERENT})"
            )
            continue
        groups.setdefault(one, {one})
        groups.setdefault(other, {other})
        _unite(groups, one, other)
    return wrong


def _numbered(conn: Connection, keys: Sequence[str]) -> set[str]:
    query = sql.SQL("select identifier_key::text from {} where identifier_key = any(%s::uuid[])")
    return {key for (key,) in conn.execute(query.format(sql.Identifier(*PEOPLE)), [list(keys)])}


def _unite(groups: dict[str, set[str]], one: str, other: str) -> None:
    together = groups[one] | groups[other]
    for key in together:
        groups[key] = together
