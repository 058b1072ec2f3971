"""What waits for people to decide, and their decisions read back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import DataError
from linkage import workbook
from linkage.store import PEOPLE, RECORDS, subjects
from linkage.workbook import DIFFERENT, Decision

_CANDIDATES_SHOWN = 5
_MOST_ERRORS = 20

# What waits for a first decision; what was decided but contradicts itself, or was decided of other values.
# Numbers keep the first six digits, as everywhere outside the warehouse.
_EXPORT = """
with subject as ({subjects}),
waiting as (
    select pair.record_key, pair.candidate_key, row_number() over (
        partition by pair.record_key order by pair.match_weight desc, pair.candidate_key
    ) as place
    from linkage.match
    inner join linkage.pair on match.identifier_key = pair.record_key and pair.candidate_is_person
    left join linkage.decision using (record_key, candidate_key)
    where match.status = 'review' and decision.decision is null
),
asked as (
    select record_key, candidate_key, null as hint, null as decided, place from waiting
    where place <= %(shown)s
    union all
    select
        record_key,
        candidate_key,
        case when contradicted then '矛盾' else '内容已变' end,
        case decision when 'same' then '同一人' else '不是同一人' end
        || '（' || decided_by || '，' || decided_on || '）',
        0
    from (
        select
            decision.*,
            exists (
                select from linkage.match
                where match.contradicted
                    and match.identifier_key in (decision.record_key, decision.candidate_key)
            ) as contradicted,
            decision.seen <> record.content || candidate.content as is_stale
        from linkage.decision
        inner join subject as record on decision.record_key = record.identifier_key and not record.is_person
        inner join subject as candidate on decision.candidate_key = candidate.identifier_key
    ) as standing
    where contradicted or is_stale
)
select
    record.identifier_key::text,
    candidate.identifier_key::text,
    record.source,
    record.name,
    candidate.name,
    case record.sex when '1' then '男' when '2' then '女' end,
    case candidate.sex when '1' then '男' when '2' then '女' end,
    record.born,
    candidate.born,
    rpad(left(record.pid, 6), length(record.pid), '*'),
    rpad(left(candidate.pid, 6), length(candidate.pid), '*'),
    record.spouses,
    candidate.spouses,
    record.regions,
    candidate.regions,
    record.event_on::text,
    candidate.died_on::text,
    round(pair.match_weight::numeric, 1)::float,
    pair.match_probability,
    asked.hint,
    asked.decided,
    null,
    null,
    null,
    record.content || candidate.content
from asked
inner join subject as record on asked.record_key = record.identifier_key
inner join subject as candidate on asked.candidate_key = candidate.identifier_key
left join linkage.pair on asked.record_key = pair.record_key and asked.candidate_key = pair.candidate_key
order by asked.record_key, asked.place, asked.candidate_key
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
# A row written by hand shows nothing: it is of what stands there now.
_WRITE = """
with subject as ({subjects})
insert into linkage.decision (record_key, candidate_key, decision, decided_by, decided_on, reason, seen)
select %(record)s, %(candidate)s, %(decision)s, %(by)s, %(on)s, %(reason)s,
    coalesce(%(seen)s, record.content || candidate.content)
from subject as record
inner join subject as candidate on candidate.identifier_key = %(candidate)s
where record.identifier_key = %(record)s
on conflict (record_key, candidate_key) do update set
    decision = excluded.decision, decided_by = excluded.decided_by, decided_on = excluded.decided_on,
    reason = excluded.reason, seen = excluded.seen
"""


def export(conn: Connection, file: Path) -> int:
    """Write the records that wait for people, with their best candidates, to a workbook; return its rows.

    What was decided before and contradicts itself, or was decided of other values, is asked anew. The
    workbook holds names, births and spouses in full (numbers are masked), so only its owner may read it.
    """
    query = sql.SQL(_EXPORT).format(subjects=subjects())
    found = conn.execute(query, {"shown": _CANDIDATES_SHOWN}).fetchall()
    workbook.write(file, found)
    return len(found)


def read(conn: Connection, file: Path, day: date) -> int:
    """Take over the decisions of a workbook, all or none; return how many. They hold from the next build on.

    Raises DataError with the rows that are wrong; a decision that would make two people with valid, different
    numbers one is refused.
    """
    decisions, wrong = workbook.read(file)
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
            sql.SQL(_WRITE).format(subjects=subjects()),
            [_row(it, people) | {"on": day} for it in decisions],
        )
    return len(decisions)


def _row(decision: Decision, people: set[str]) -> dict[str, object]:
    record, candidate = _pair(decision, people)
    # The digest of the record stands first, and two records may have changed places.
    seen, half = decision.seen, len(decision.seen or "") // 2
    if seen and record != decision.record:
        seen = seen[half:] + seen[:half]
    return {
        "record": UUID(record), "candidate": UUID(candidate), "decision": decision.decision,
        "by": decision.decided_by, "reason": decision.reason, "seen": seen,
    }  # fmt: skip


def _pair(decision: Decision, people: set[str]) -> tuple[str, str]:
    """Return the keys as linkage.pair has them: of two records the smaller first."""
    if decision.candidate in people:
        return decision.record, decision.candidate
    return min(decision.record, decision.candidate), max(decision.record, decision.candidate)


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
