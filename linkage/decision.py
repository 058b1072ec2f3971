"""Who a record is of: the decision rule over weighed pairs, as steps of SQL in DuckDB.

Read, all keys as text: fact (identifier_key, sex, birth_date, birth_year, couple, party); pair (record_key,
candidate_key, candidate_is_person, match_weight, match_probability, repairs); decided (record_key,
candidate_key, decision, candidate_is_person, is_stale). Made: matched, the columns of linkage.match.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from linkage import clustering

_CANDIDATES = """
create or replace table candidate as
select pair.*, count(*) filter (where repairs) over (partition by pair.record_key) as repairers
from pair
left join decided
    on pair.record_key = decided.record_key and pair.candidate_key = decided.candidate_key
where pair.candidate_is_person and coalesce(decided.decision, '') <> 'different'
"""
_RANKED = """
create or replace table ranked as
select
    *,
    row_number() over best as place,
    match_weight - coalesce(lead(match_weight) over best, '-infinity'::double) as ahead,
    count(*) filter (where match_weight >= $review) over (partition by record_key) as candidates
from candidate
window best as (
    partition by record_key order by (repairs and repairers = 1) desc, match_weight desc, candidate_key
)
"""
_FIRST = """
create or replace table outcome as
select
    fact.identifier_key,
    ranked.candidate_key,
    case
        when ranked.repairs and ranked.repairers = 1 then 'repaired'
        when ranked.match_weight >= $accept and ranked.ahead >= $margin then 'model'
        when ranked.match_weight >= $review then 'review'
    end as verdict,
    ranked.match_weight,
    ranked.match_probability,
    coalesce(ranked.candidates, 0) as candidates,
    fact.couple,
    fact.party,
    fact.sex,
    false as named,
    false as contradicted
from fact
left join ranked on fact.identifier_key = ranked.record_key and ranked.place = 1
"""
# Nobody marries themselves: of two parties of one record that found one person, the weaker waits for people.
# Whom people named outweighs all that was weighed.
_TWO_PARTIES = """
update outcome set verdict = 'review', contradicted = verdict = 'decided'
from (
    select
        identifier_key,
        party <> first_value(party) over strongest
        or coalesce(sex <> first_value(sex) over strongest, false) as gives_way
    from outcome
    where couple is not null and verdict in ('decided', 'repaired', 'model')
    window strongest as (
        partition by couple, candidate_key
        order by
            named desc, list_position(['decided', 'repaired', 'model'], verdict), match_weight desc,
            identifier_key
    )
) as contest
where contest.identifier_key = outcome.identifier_key and contest.gives_way
"""
_RESULT = """
create or replace table matched as
select
    outcome.identifier_key,
    case
        when outcome.verdict in ('decided', 'repaired', 'model') then outcome.candidate_key
        else coalesce(clustered.cluster_key, outcome.identifier_key)
    end as person_key,
    case
        when outcome.verdict in ('decided', 'repaired', 'model') then 'linked'
        else coalesce(outcome.verdict, 'alone')
    end as status,
    case
        when outcome.verdict <> 'review' then outcome.verdict
        when clustered.cluster_key is not null then 'cluster'
    end as method,
    outcome.match_weight,
    outcome.match_probability,
    outcome.candidates,
    outcome.contradicted
from outcome
left join clustered on outcome.identifier_key = clustered.identifier_key
"""


@dataclass(frozen=True)
class Thresholds:
    """Match weights (log2): link from ``accept`` if ahead by ``margin``, ask people from ``review`` on."""

    accept: float
    review: float
    margin: float
    cluster: float


def decide(database: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make the table ``matched`` (identifier_key, person_key, status, method, …) from the weighed pairs."""
    database.execute(_CANDIDATES)
    database.execute(_RANKED, {"review": thresholds.review})
    database.execute(
        _FIRST,
        {"accept": thresholds.accept, "margin": thresholds.margin, "review": thresholds.review},
    )
    clustering.follow_decisions(database)
    database.execute(_TWO_PARTIES)
    clustering.cluster_alone(database, thresholds.cluster)
    database.execute(_RESULT)
