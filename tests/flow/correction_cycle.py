"""Corrections through the whole flow: faults planted at two departments, lists as clerks read them, KPIs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from huiliu import business_date
from huiliu.database import connect
from huiliu.settings import get_settings
from ingestion.run import ingest
from soda_checks.contract import CONTRACTS, Contract, load_contract
from soda_checks.corrections.lists import raise_failures, send_lists
from soda_checks.gate import gate_staging
from soda_checks.score import score
from tests.flow import city_days
from transformation.build import METRICS_MODELS, build

WRONG = "无此类别"
Kpis = dict[tuple[str, str, str], tuple[Any, ...]]


@dataclass(frozen=True)
class Coded:
    """A column of codes that the simulator never spoils, and how its department's list names a record."""

    department: str
    source: str
    table: str
    key: str
    key_label: str
    column: str

    @property
    def model(self) -> str:
        """Name of the staging model."""
        return f"stg_{self.source}__{self.table}"

    def spoil(self, count: int) -> dict[str, str]:
        """Write a code that does not exist into so many rows at the source; return record -> right code.

        Twice as many rows come along as they are, as the gate may hold a batch of wrong ones alone.
        """
        with connect(f"source_owner:{self.source}") as source:
            found = source.execute(
                sql.SQL("select {key}::text, {column} from {table} order by {key} limit %s").format(
                    **self._names()
                ),
                [3 * count],
            ).fetchall()
        codes = {f"{self.key_label} {key}": str(code) for key, code in found}
        right = dict(list(codes.items())[:count])
        self.write(codes | dict.fromkeys(right, WRONG))
        return right

    def write(self, codes: dict[str, str]) -> None:
        """Write codes at the source, by record as a list names it."""
        statement = sql.SQL(
            "update {table} set {column} = %s,"
            " updated_at = (select max(updated_at) + interval '1 second' from {table})"
            " where {key}::text = %s"
        ).format(**self._names())
        with connect(f"source_owner:{self.source}") as source:
            for record, code in codes.items():
                source.execute(statement, [code, record.removeprefix(f"{self.key_label} ")])

    def listed(self) -> dict[str, str]:
        """Record -> status of the rows of today's file that are about this column's codes."""
        with connect("warehouse") as conn:
            name = f"纠错清单_{self.department}_{business_date.get(conn)}.csv"
        path = get_settings().home / "outbox" / "corrections" / self.department / name
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["记录号"]: row["状态"] for row in rows if row["规则"].startswith("N02 ")}

    def _names(self) -> dict[str, sql.Composable]:
        return {
            "table": sql.Identifier(self.table),
            "key": sql.Identifier(self.key),
            "column": sql.Identifier(self.column),
        }


AWARDS = Coded("市民政局", "civil_affairs", "subsidy_award", "award_no", "待遇编号", "subsidy_kind")
INSURANCES = Coded(
    "市人力资源和社会保障局", "social_security", "insurance", "insurance_id", "参保编号", "insurance_kind"
)
_BOTH = (AWARDS, INSURANCES)


def contracts() -> dict[str, Contract]:
    """The contracts of the two tables."""
    found = [load_contract(CONTRACTS / "staging" / f"{it.model}.yml") for it in _BOTH]
    return {contract.table_name: contract for contract in found}


def begin(day: date) -> None:
    """Make it a later business date."""
    with connect("warehouse") as conn:
        business_date.set(conn, day)


def flow(bound: dict[str, Contract]) -> None:
    """Load and build the two tables, score them, send the lists."""
    ingest([it.source for it in _BOTH])
    tables = [(it.source, it.table) for it in _BOTH]
    assert not gate_staging(bound, tables).held
    built = build(select=" ".join(it.model for it in _BOTH), tables=tables, project=city_days.project())
    assert not built.failed
    assert not score(bound).problems
    raise_failures(send_lists())


def kpis() -> Kpis:
    """Compute the KPIs; return numerator, denominator and value of the city's, by name, month, department."""
    assert not build(select=METRICS_MODELS, project=city_days.project()).failed
    with connect("warehouse") as conn:
        rows = conn.execute(
            "select kpi, period, department, numerator, denominator, value from metrics.kpi"
            " where length(region_code) = 4"
        ).fetchall()
    return {(kpi, period, department): tuple(figures) for kpi, period, department, *figures in rows}


def moved(before: Kpis, after: Kpis, kpi: str, period: str) -> dict[str, tuple[int, int]]:
    """By how much numerator and denominator of a month's KPI grew, by department."""
    nothing = (0, 0, None)
    return {
        department: (after[key][0] - before.get(key, nothing)[0], after[key][1] - before.get(key, nothing)[1])
        for key in after
        if key[:2] == (kpi, period)
        for department in [key[2]]
    }
