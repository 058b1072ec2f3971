"""Records that found nobody, put together; and records that people said are of one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import duckdb
import pyarrow as pa

_SAID_SAME = """
select record_key, candidate_key, true from decided
where decision = 'same' and not is_stale and not candidate_is_person order by all
"""
_EDGES = """
create or replace table edge as
with alone as (select identifier_key from outcome where verdict is null),
weighed as (
    select record_key, candidate_key, match_weight from pair
    where not candidate_is_person and match_weight >= $least
    union all
    select record_key, candidate_key, 'infinity'::double from decided
    where decision = 'same' and not is_stale and not candidate_is_person
)
select record_key, candidate_key, max(match_weight) as weight from weighed
where record_key in (from alone) and candidate_key in (from alone)
group by all
"""
_JOINED = """
select identifier_key, sex, birth_date, birth_year, couple, party from fact
where identifier_key in (select record_key from edge union all select candidate_key from edge)
"""
_APART = """
select record_key, candidate_key from decided where decision = 'different' and not candidate_is_person
"""
# Called the same when other values stood there: joins nobody any more, and waits to be asked anew. What
# was called different stays apart meanwhile.
_STALE = """
update outcome set verdict = 'review'
where identifier_key in (
    select record_key from decided where decision = 'same' and is_stale
    union all
    select candidate_key from decided where decision = 'same' and is_stale
)
"""
# Each record of which people said whose it is, with the group of records they said are one person.
_SPOKEN_OF = """
create or replace table spoken_of as
select said.identifier_key, coalesce(said_group.group_key, said.identifier_key) as group_key
from (
    select record_key as identifier_key from decided where decision = 'same' and not is_stale
    union
    select candidate_key from decided where decision = 'same' and not is_stale and not candidate_is_person
) as said
left join said_group on said.identifier_key = said_group.identifier_key
"""
# The person that people named for a group; else the one that any of its records was found to be.
_PERSON = """
create or replace table person_of as
with named as (
    select group_key, min(candidate_key) as person_key, count(distinct candidate_key) as people
    from decided
    inner join spoken_of on decided.record_key = spoken_of.identifier_key
    where decision = 'same' and not is_stale and candidate_is_person
    group by group_key
),
found as (
    select group_key, min(candidate_key) as person_key, count(distinct candidate_key) as people
    from outcome
    inner join spoken_of on outcome.identifier_key = spoken_of.identifier_key
    where verdict in ('repaired', 'model')
    group by group_key
)
select
    group_key,
    coalesce(named.person_key, found.person_key) as person_key,
    named.person_key is not null as named,
    coalesce(named.people, found.people) > 1 as is_doubtful
from (select distinct group_key from spoken_of)
left join named using (group_key)
left join found using (group_key)
"""
# Two people named, or one of whom people said that it is somebody else, or two parties of one page.
_CONTRADICTED = """
create or replace table contradicted_group as
select group_key from person_of where is_doubtful
union
select mine.group_key
from decided
inner join spoken_of as mine on decided.record_key = mine.identifier_key
inner join person_of on mine.group_key = person_of.group_key
left join spoken_of as other on decided.candidate_key = other.identifier_key
where
    decided.decision = 'different'
    and (decided.candidate_key = person_of.person_key or other.group_key = mine.group_key)
union
select group_key
from outcome
inner join spoken_of on outcome.identifier_key = spoken_of.identifier_key
where couple is not null
group by group_key, couple
having count(distinct party) > 1
"""
# What people decided stands above all that was weighed; what contradicts itself waits for them again.
_DECIDED = """
update outcome set
    candidate_key = told.person_key,
    verdict = case when told.contradicted then 'review' else 'decided' end,
    match_weight = told.match_weight,
    match_probability = told.match_probability,
    named = told.named and not told.contradicted,
    contradicted = told.contradicted
from (
    select
        spoken_of.identifier_key,
        person_of.person_key,
        person_of.named,
        contradicted_group.group_key is not null as contradicted,
        pair.match_weight,
        pair.match_probability
    from spoken_of
    inner join person_of on spoken_of.group_key = person_of.group_key
    left join contradicted_group on spoken_of.group_key = contradicted_group.group_key
    left join pair
        on spoken_of.identifier_key = pair.record_key and person_of.person_key = pair.candidate_key
) as told
where told.identifier_key = outcome.identifier_key and (told.contradicted or told.person_key is not null)
"""


@dataclass
class Group:
    """What is known of the records of one cluster together."""

    members: list[str] = field(default_factory=list)
    sexes: set[str] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    parties: dict[str, str] = field(default_factory=dict)  # which party of which couple this is
    apart: set[str] = field(default_factory=set)  # records that people said are of somebody else

    def contradicts(self, other: Group, *, is_said: bool = False) -> bool:
        """Say whether the two groups cannot be one person; where people said they are, values may differ."""
        sexes, years, days = self.sexes | other.sexes, self.years | other.years, self.days | other.days
        differs = len(sexes) > 1 or len(days) > 1 or (bool(years) and max(years) - min(years) > 1)
        return (
            (differs and not is_said)
            or any(other.parties.get(couple, party) != party for couple, party in self.parties.items())
            or not self.apart.isdisjoint(other.members)
            or not other.apart.isdisjoint(self.members)
        )

    def absorb(self, other: Group) -> None:
        """Take the other group's records and what is known of them."""
        self.members += other.members
        self.sexes |= other.sexes
        self.years |= other.years
        self.days |= other.days
        self.parties |= other.parties
        self.apart |= other.apart


def join(groups: dict[str, Group], edges: Iterable[tuple[str, str, bool]]) -> dict[str, str]:
    """Join groups along edges, strongest first, wherever they do not contradict; return the cluster of
    each record. An edge says whether people drew it.

    A chain never joins what contradicts, however strong its links. A cluster is named by its smallest
        record key.
    """
    of = {record: record for record in groups}
    for one, other, is_said in edges:
        small, large = sorted((of[one], of[other]), key=lambda name: len(groups[name].members))
        if small == large or groups[small].contradicts(groups[large], is_said=is_said):
            continue
        for member in groups[small].members:
            of[member] = large
        groups[large].absorb(groups.pop(small))
    named = {name: min(group.members) for name, group in groups.items() if len(group.members) > 1}
    return {record: named[name] for record, name in of.items() if name in named}


def cluster_alone(database: duckdb.DuckDBPyConnection, least: float) -> None:
    """Make the table ``clustered`` (identifier_key, cluster_key) of the records without a verdict."""
    database.execute(_EDGES, {"least": least})
    edges = database.execute(
        "select record_key, candidate_key, isinf(weight) from edge"
        " order by weight desc, record_key, candidate_key"
    ).fetchall()
    groups = {row[0]: _group(*row) for row in database.execute(_JOINED).fetchall()}
    for one, other in database.execute(_APART).fetchall():
        if one in groups:
            groups[one].apart.add(other)
    _write(database, "clustered", "cluster_key", join(groups, edges))


def _group(
    record: str, sex: str | None, day: date | None, year: int | None, couple: str | None, party: str
) -> Group:
    return Group(
        members=[record],
        sexes={sex} if sex else set(),
        years={year} if year else set(),
        days={day} if day else set(),
        parties={couple: party} if couple else {},
    )


def follow_decisions(database: duckdb.DuckDBPyConnection) -> None:
    """Give records the person that people said they are, and those they said are one person the one that
    any of them has.

    If what people said contradicts itself, or leads to two people with numbers, nobody knows which of it is
    right: all of them wait for people.
    """
    database.execute(_STALE)
    said = database.execute(_SAID_SAME).fetchall()
    records = {record for one, other, _ in said for record in (one, other)}
    of = join({record: Group(members=[record]) for record in records}, said)
    _write(database, "said_group", "group_key", of)
    for step in (_SPOKEN_OF, _PERSON, _CONTRADICTED, _DECIDED):
        database.execute(step)


def _write(database: duckdb.DuckDBPyConnection, table: str, column: str, of: dict[str, str]) -> None:
    rows = pa.table(
        {
            "identifier_key": pa.array(list(of), pa.string()),
            column: pa.array(list(of.values()), pa.string()),
        }
    )
    database.register("rows_of_groups", rows)
    database.execute(f"create or replace table {table} as from rows_of_groups")
    database.unregister("rows_of_groups")
