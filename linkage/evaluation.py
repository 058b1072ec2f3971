"""How right linkage is against a known truth: per record, over pairs, and over whole clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

# What counts is everybody in a cluster: numbered people stand for themselves, records for whom they were
# put to.
_CROSSED = """
create or replace temporary table crossed as
with member as (
    select record_key as member_key, person_key as truth from {truth}
    union all
    select identifier_key, identifier_key from {people}
),
put as (
    select identifier_key as member_key, person_key as found from {matched}
    union all
    select identifier_key, identifier_key from {people}
)
select truth, found, count(*) as members from member inner join put using (member_key) group by truth, found
"""
_COUNT = "select count(*) from {matched}"
_RECORDS = """
with judged as (
    select
        matched.status = 'linked' as is_linked,
        matched.status = 'review' as is_asked,
        matched.person_key = truth.person_key as is_right,
        people.identifier_key is not null as is_known
    from {matched} as matched
    inner join {truth} as truth on matched.identifier_key = truth.record_key
    left join {people} as people on truth.person_key = people.identifier_key
)
select
    count(*) filter (where is_linked),
    count(*) filter (where is_linked and is_right),
    count(*) filter (where is_known),
    count(*) filter (where is_asked)
from judged
"""
_PAIRS = """
select
    (select sum(members * (members - 1) / 2) from crossed),
    (select sum(size * (size - 1) / 2) from (select sum(members) as size from crossed group by found)),
    (select sum(size * (size - 1) / 2) from (select sum(members) as size from crossed group by truth))
"""
# Clusters of two or more: those found that are exactly one true one.
_CLUSTERS = """
with found as (select found, sum(members) as size, count(*) as parts, min(truth) as truth from crossed
    group by found),
truth as (select truth, sum(members) as size from crossed group by truth)
select
    count(*) filter (where found.parts = 1 and found.size = truth.size and found.size > 1),
    count(*) filter (where found.size > 1),
    (select count(*) from truth where size > 1)
from found inner join truth on found.truth = truth.truth
"""


@dataclass(frozen=True)
class Quality:
    """Precision and recall of links of records to people, of pairs in one cluster, and of whole clusters."""

    records: int
    in_review: int
    precision: float
    recall: float
    pair_precision: float
    pair_recall: float
    cluster_precision: float
    cluster_recall: float


def measure(
    database: duckdb.DuckDBPyConnection,
    *,
    matched: str = "matched",
    truth: str = "truth",
    people: str = "people",
) -> Quality:
    """Measure ``matched`` (as decision.decide makes it) against ``truth`` (record_key, person_key).

    ``people`` (identifier_key) are those who could be found; recall is of the records of these.
    """
    names: Mapping[str, str] = {"matched": matched, "truth": truth, "people": people}
    database.execute(_CROSSED.format(**names))
    [(linked, right, known, asked)] = database.execute(_RECORDS.format(**names)).fetchall()
    [(joined, found_pairs, true_pairs)] = database.execute(_PAIRS).fetchall()
    [(exact, found_clusters, true_clusters)] = database.execute(_CLUSTERS).fetchall()
    [(records,)] = database.execute(_COUNT.format(**names)).fetchall()
    return Quality(
        records=records,
        in_review=asked,
        precision=_share(right, linked),
        recall=_share(right, known),
        pair_precision=_share(joined, found_pairs),
        pair_recall=_share(joined, true_pairs),
        cluster_precision=_share(exact, found_clusters),
        cluster_recall=_share(exact, true_clusters),
    )


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 1.0
