"""How right a whole city is against the truth: `python -m tests.models.accuracy PERSONS SEED`.

Golden values and links are compared in pandas by the sources' own keys, without the SQL that is judged.
Prints what docs/golden_values.md and docs/linkage.md say of 200,000 people.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import pandas as pd
from psycopg import sql
from rich.console import Console

from huiliu import embedded_postgres
from huiliu.database import connect
from huiliu.provision import provision
from simulator import city
from tests.homes import forget_durability, home_of_its_own
from tests.models.conftest import build_all, collect, set_date

ATTRIBUTES = (
    "name", "sex", "birth_date", "nation", "hukou_type", "village_code", "household_no", "relation",
)  # fmt: skip
_GOLDEN = "select * from base.base_population__person where has_number"
_PEOPLE = "select identifier_key::text as key, pid from base.int_identity_described"
_MATCHES = "select identifier_key::text as key, person_key::text as found, status from linkage.match"
_NUMBERED = "select person_key::text, pid from base.base_population__identity where pid is not null"


@dataclass(frozen=True)
class Party:
    """One person named on each row of a source: where his key stands, and who he is in the truth."""

    staging: str
    truth: str
    key: str
    role: str = ""
    forgotten: bool = True

    def records(self, home: Path) -> pd.DataFrame:
        """Key and truth (`p7` a person, `f7` one whom no register knows) of every row without a number."""
        rows = _query(
            sql.SQL(
                "select {key}, {identifier}::text as key from {staging} where is_usable and not {has_number}"
            ).format(
                key=sql.Identifier(self.key),
                identifier=sql.Identifier(self.role + "identifier_key"),
                has_number=sql.Identifier(self.role + "has_number"),
                staging=sql.Identifier("staging", self.staging),
            )
        )
        known = [self.role + "person_id", *([self.role + "forgotten_id"] if self.forgotten else [])]
        truth = _truth(home, self.truth)[[self.key, *known]]
        joined = rows.merge(truth, on=self.key, how="left")
        joined["truly"] = _label("p", joined[known[0]])
        if self.forgotten:
            joined["truly"] = joined["truly"].fillna(_label("f", joined[known[1]]))
        return joined[["key", "truly"]].assign(source=self.truth)


PARTIES = (
    Party("stg_marriage_archive__record", "marriage_archive_record", "scan_no", "husband_"),
    Party("stg_marriage_archive__record", "marriage_archive_record", "scan_no", "wife_"),
    Party("stg_agriculture__land_contract", "land_contract", "contract_no", forgotten=False),
    Party("stg_rural_revitalisation__monitored_person", "monitored", "person_no", forgotten=False),
    Party("stg_funeral__cremation", "cremation", "cremation_no"),
)


@dataclass(frozen=True)
class Linked:
    """Records without a number against the truth: per record, over pairs, over whole clusters."""

    records: int
    precision: float
    recall: float
    pair_precision: float
    pair_recall: float
    cluster_precision: float
    cluster_recall: float
    in_review: int
    merged_numbers: int


def golden_shares(home: Path) -> dict[str, float]:
    """Share of living residents, in per cent, whose golden value is the truth's; and of deaths."""
    truth, golden = _truth(home, "person"), _query(_GOLDEN)
    both = truth.merge(golden, on="pid", how="left", suffixes=("", "_golden"))
    living, dead = both[both["resident"]], both[both["died_on"].notna()]
    shares = {name: _equal(living, name) for name in ATTRIBUTES}
    return shares | {
        "is_resident": (living["is_resident"].eq(True)).mean() * 100,
        "died_on": _equal(dead, "died_on"),
    }


def linked(home: Path) -> Linked:
    """Judge the links of every record without a number whose row the truth knows."""
    people = _query(_PEOPLE)
    people["truly"] = people["pid"].map(_numbers(home))
    known = people.dropna(subset="truly")
    records = pd.concat([party.records(home) for party in PARTIES]).dropna(subset="truly")
    records = records.merge(_query(_MATCHES), on="key", how="left")
    is_linked = records["status"] == "linked"
    is_right = is_linked & (records["found"].map(known.set_index("key")["truly"]) == records["truly"])
    is_known = records["truly"].isin(set(known["truly"]))
    members = pd.concat(
        [records[["truly", "found"]], known[["truly", "key"]].rename(columns={"key": "found"})]
    )
    numbers = _query(_NUMBERED).groupby("person_key")["pid"].nunique()
    return Linked(
        len(records),
        is_right.sum() / is_linked.sum(),
        is_right.sum() / is_known.sum(),
        *_pairs(members),
        *_clusters(members),
        in_review=int((records["status"] == "review").sum()),
        merged_numbers=int((numbers > 1).sum()),
    )


def _pairs(members: pd.DataFrame) -> tuple[float, float]:
    both, found, true = (
        (size * (size - 1) // 2).sum()
        for size in (members.groupby(by).size() for by in (["truly", "found"], "found", "truly"))
    )
    return both / found, both / true


def _clusters(members: pd.DataFrame) -> tuple[float, float]:
    found = members.groupby("found")["truly"].agg(["size", "nunique", "min"]).query("size > 1")
    true = members.groupby("truly").size()
    exact = ((found["nunique"] == 1) & (found["size"].array == true.reindex(found["min"]).array)).sum()
    return exact / len(found), exact / (true > 1).sum()


def _numbers(home: Path) -> pd.Series[str]:
    person, forgotten = _truth(home, "person"), _truth(home, "forgotten")
    numbers = pd.concat(
        [
            pd.Series(_label("f", forgotten["forgotten_id"]).array, forgotten["pid"]),
            pd.Series(_label("p", person["person_id"]).array, person["pid"]),
        ]
    )
    return numbers[~numbers.index.duplicated(keep="last")]


def _label(kind: str, ids: pd.Series[int]) -> pd.Series[str]:
    return (kind + ids.astype("Int64").astype("string")).astype("object").where(ids.notna(), None)


def _equal(rows: pd.DataFrame, name: str) -> float:
    return float((rows[name].astype(str) == rows[f"{name}_golden"].astype(str)).mean() * 100)


def _truth(home: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(home / "truth" / f"{name}.parquet")


def _query(query: LiteralString | sql.Composed) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(query)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


def main(persons: int, seed: int) -> None:
    """Make, collect and build a city in a home of its own, and print how right it is."""
    with home_of_its_own() as home:
        embedded_postgres.start()
        forget_durability()
        provision()
        set_date(city.create(persons, seed))
        collect()
        build_all()
        console = Console()
        console.print(golden_shares(home))
        console.print(linked(home))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
