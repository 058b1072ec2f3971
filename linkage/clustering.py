"""Records that found nobody, put together; and records that people said are of one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import duckdb
import pyarrow as pa

_SAID_SAME = """
select record_key, candidate_key from decided
where decision = 'same' and not candidate_is_person order by all
"""
_EDGES = """
create or replace table edge as
with alone as (select identifier_key from outcome where verdict is null),
weighed as (
    select record_key, candidate_key, match_weight from pair
    where not candidate_is_person and match_weight >= $least
    union all
    select record_key, candidate_key, 'infinity'::double from decided
    where decision = 'same' and not candidate_is_person
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
_FOLLOWED = """
update outcome set
    candidate_key = case
        when told.person_key = told.last_key then told.person_key else outcome.candidate_key
    end,
    verdict = case when told.person_key = told.last_key then 'decided' else 'review' end
from (
    select
        said_group.identifier_key,
        min(linked.candidate_key) over (partition by group_key) as person_key,
        max(linked.candidate_key) over (partition by group_key) as last_key
    from said_group
    left join outcome as linked
        on said_group.identifier_key = linked.identifier_key
        and linked.verdict in ('decided', 'repaired', 'model')
) as told
where told.identifier_key = outcome.identifier_key and told.person_key is not null
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

    def contradicts(self, other: Group) -> bool:
        """Say whether the two groups cannot be one person."""
        sexes, years, days = self.sexes | other.sexes, self.years | other.years, self.days | other.days
        return (
            len(sexes) > 1
            or len(days) > 1
            or (bool(years) and max(years) - min(years) > 1)
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


def join(groups: dict[str, Group], edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join groups along edges, strongest first, wherever they do not contradict; return the cluster of
    each record.

    A chain never joins what contradicts, however strong its links. A cluster is named by its smallest
        record key.
    """
    of = {record: record for record in groups}
    for one, other in edges:
        small, large = sorted((of[one], of[other]), key=lambda name: len(groups[name].members))
        if small == large or groups[small].contradicts(groups[large]):
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
        "select record_key, candidate_key from edge order by weight desc, record_key, candidate_key"
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
    """Give records that people said are one person the one person that any of them has.

    If they have two, nobody knows which of them is right, and the number of neither may be given up: all of
    them wait for people.
    """
    said = database.execute(_SAID_SAME).fetchall()
    if not said:
        return
    records = {record for pair in said for record in pair}
    of = join({record: Group(members=[record]) for record in records}, said)
    _write(database, "said_group", "group_key", of)
    database.execute(_FOLLOWED)


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
