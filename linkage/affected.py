"""Whose match may change: what was touched, and all whose decision depends on it.

A record is decided from its own row and pairs, from what people decided of it, from the other party of its
page, and from the records it may be put together with. Whoever is joined to it by these is decided with it.
"""

from __future__ import annotations

from psycopg import sql

from huiliu.database import Connection
from linkage.decision import Thresholds
from linkage.store import PEOPLE, RECORDS

_TABLES = """
create temporary table touched_record (key uuid primary key) on commit drop;
create temporary table touched_person (key uuid primary key) on commit drop;
create temporary table touched_any (key uuid primary key) on commit drop;
create temporary table to_decide (key uuid primary key) on commit drop;
"""
_TOUCHED = """
insert into {touched}
select distinct key::uuid from ops.touched_key
where model = {model} and key_name = 'identifier_key' and build_id > {since}
"""
_TOUCHED_ANY = """
insert into touched_any select key from touched_record union select key from touched_person;
analyze touched_record, touched_person, touched_any
"""
# Who shared a page with a touched record before it changed; read before linkage.block is renewed.
_FORMER = """
insert into to_decide
select key from touched_record
union
select other.identifier_key from linkage.block as touched
inner join linkage.block as other on touched.couple = other.couple
where touched.identifier_key in (select key from touched_record)
"""
# A decision counts as long as both of whom it speaks are there: those that come or go count as changed.
_DECISIONS = """
insert into to_decide
select unnest(array[record_key, candidate_key]) from (
    select record_key, candidate_key
    from linkage.decision full join linkage.decision_used using (record_key, candidate_key)
    where (decision.decision, decision.seen) is distinct from (decision_used.decision, decision_used.seen)
    union all
    select record_key, candidate_key from linkage.decision
    where record_key in (select key from touched_any) or candidate_key in (select key from touched_any)
) as changed
on conflict do nothing
"""
_EVERYBODY = """
insert into to_decide
select identifier_key from {records} union select identifier_key from linkage.match
on conflict do nothing
"""
_JOINED = """
with recursive reached (key) as (
    select key from to_decide
    union
    select joined.key
    from reached
    cross join lateral (
        select candidate_key as key from linkage.pair
        where record_key = reached.key and not candidate_is_person and match_weight >= %(least)s
        union all
        select record_key from linkage.pair
        where candidate_key = reached.key and not candidate_is_person and match_weight >= %(least)s
        union all
        select candidate_key from linkage.decision where record_key = reached.key and decision = 'same'
        union all
        select record_key from linkage.decision where candidate_key = reached.key and decision = 'same'
        union all
        select other.identifier_key from linkage.block as mine
        inner join linkage.block as other on mine.couple = other.couple
        where mine.identifier_key = reached.key
    ) as joined
)
insert into to_decide select key from reached on conflict do nothing
"""
_USED = """
delete from linkage.decision_used as used where not exists (
    select from linkage.decision
    where (decision.record_key, decision.candidate_key) = (used.record_key, used.candidate_key)
        and (decision.decision, decision.seen) is not distinct from (used.decision, used.seen)
);
insert into linkage.decision_used (record_key, candidate_key, decision, seen)
select record_key, candidate_key, decision, seen from linkage.decision
on conflict do nothing
"""


def begin(conn: Connection, since: int | None) -> None:
    """Make the temporary tables of the step; touched_* hold what was logged since a build, if any."""
    conn.execute(_TABLES)
    if since is None:
        return
    for table, parent in (("touched_record", RECORDS), ("touched_person", PEOPLE)):
        conn.execute(
            sql.SQL(_TOUCHED).format(
                touched=sql.Identifier(table), model=sql.Literal(parent[1]), since=sql.Literal(since)
            )
        )
    conn.execute(_TOUCHED_ANY)
    conn.execute(_FORMER)


def everybody(conn: Connection) -> None:
    """Let all records be decided anew, and those go that are no more."""
    conn.execute(sql.SQL(_EVERYBODY).format(records=sql.Identifier(*RECORDS)))
    conn.execute("analyze to_decide")


def joined(conn: Connection, thresholds: Thresholds) -> None:
    """Add to the records whose row, pairs or decisions changed all that are joined to them."""
    conn.execute(_DECISIONS)
    conn.execute("analyze to_decide")
    conn.execute(_JOINED, {"least": thresholds.cluster})
    conn.execute("analyze to_decide")


def remember_decisions(conn: Connection) -> None:
    """Keep what people's decisions were in this step, for the next to see which of them are new."""
    conn.execute(_USED)
