"""Timeliness and accessibility (GB/T 36344), which the 37 rules do not judge: scored beside the six classes.

Both are shares of counts over the last 30 days, pooled from table to source, department and city; neither
goes into an overall score. Nothing due, or nothing probed, gives None, never 1.

    timeliness    = days a load was due, by the resource's cadence, on which one landed / days it was due
    accessibility = probes of the resource that passed / probes

A day is due from the first load that was tried until yesterday: today is not over. A load counts when it
landed, whatever the gate made of it: what it brought is judged by the six.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from huiliu.database import Connection
from soda_checks.contract import Contract
from soda_checks.scoring import Score

DAYS = 30

_PLACES = Decimal("0.000001")
_COUNTS = """
with due as materialized (
    select cadence, day::date as day
    from (select distinct cadence from ops.resource where retired_on is null) as kept
    cross join generate_series(%(today)s::date - %(days)s::int, %(today)s::date - 1, interval '1 day') as day
    where ops.cron_falls_on(cadence, day::date)
),

load as materialized (
    select source, table_name, business_date, bool_or(status = 'landed') as landed
    from ops.load_run where first_day is null group by source, table_name, business_date
),

first_load as (
    select source, table_name, min(business_date) as tried_on from load group by source, table_name
)

select
    resource.source || '__' || resource.table_name,
    (
        select count(*) from due where due.cadence = resource.cadence and due.day >= first_load.tried_on
    ) as due,
    (
        select count(*) from due
        inner join load on load.business_date = due.day and load.landed
        where due.cadence = resource.cadence
            and load.source = resource.source and load.table_name = resource.table_name
    ) as in_time,
    count(probe.resource_id) as probes,
    count(*) filter (where probe.passed) as passed
from ops.resource as resource
left join first_load using (source, table_name)
left join ops.mount_probe as probe
    on resource.resource_id = probe.resource_id
    and probe.business_date > %(today)s::date - %(days)s::int and probe.business_date <= %(today)s::date
where resource.retired_on is null
group by resource.source, resource.table_name, resource.cadence, first_load.tried_on
"""


@dataclass
class Counts:
    """Of one resource or many: loads due and in time, probes and those that passed."""

    due: int = 0
    in_time: int = 0
    probes: int = 0
    passed: int = 0

    def add(self, other: Counts) -> None:
        """Pool another's counts."""
        self.due += other.due
        self.in_time += other.in_time
        self.probes += other.probes
        self.passed += other.passed

    def scores(self) -> dict[str, Decimal | None]:
        """Both dimensions, between 0 and 1; None where there is nothing to go by."""
        return {
            "timeliness": _share(self.in_time, self.due),
            "accessibility": _share(self.passed, self.probes),
        }


def beside_scores(
    connection: Connection, contracts: Iterable[Contract], city: str, today: date
) -> Iterator[Score]:
    """Score every source table that has a contract, its source, its department and the city."""
    by_raw_table = _counts(connection, today)
    pooled: dict[tuple[str, str], Counts] = defaultdict(Counts)
    for contract in contracts:
        source = contract.huiliu.source
        if source is None:
            continue
        counts = by_raw_table.get(contract.raw_table, Counts())
        for place in (
            ("table", contract.table_name),
            ("source", source),
            ("department", contract.huiliu.department),
            ("city", city),
        ):
            pooled[place].add(counts)
    for (level, name), counts in sorted(pooled.items()):
        for dimension, score in counts.scores().items():
            yield Score(level, name, dimension, score)


def _counts(connection: Connection, today: date) -> dict[str, Counts]:
    """Counts by the name of the raw table."""
    rows = connection.execute(_COUNTS, {"today": today, "days": DAYS})
    return {name: Counts(*counts) for name, *counts in rows}


def _share(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(_PLACES) if whole else None
