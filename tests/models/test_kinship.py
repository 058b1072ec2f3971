"""Kinship against the truth of the simulated city: who is whose spouse, child, housemate, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from huiliu.database import connect
from tests.models.truth_people import ids_of_keys

MIRROR = {
    "spouse": "spouse",
    "parent": "child",
    "child": "parent",
    "household_member": "household_member",
}
PARENTS = ("51", "52")


@dataclass(frozen=True)
class City:
    """Edges with the truth's person ids (0: nobody the truth knows by number), and the truth's tables."""

    home: Path
    edges: pd.DataFrame
    people: pd.DataFrame

    def truth(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.home / "truth" / f"{name}.parquet")

    def pairs(self, kind: str, *, running: bool = False) -> pd.DataFrame:
        """Edges of a kind between people the truth knows."""
        found = self.edges[
            (self.edges.kind == kind) & (self.edges.person_id > 0) & (self.edges.relative_id > 0)
        ]
        return found[found.to_date.isna()] if running else found


@pytest.fixture(scope="module")
def kin(built_city: Path) -> City:
    ids = ids_of_keys(built_city)
    with connect("warehouse") as connection:
        cursor = connection.execute(
            "select person_key::text, relative_key::text, kind, edge_no, from_date, from_date_source,"
            " to_date, end_reason, sources from base.base_population__kinship"
        )
        names = [column.name for column in cursor.description or ()]
        edges = pd.DataFrame(cursor.fetchall(), columns=names)
    for side in ("person", "relative"):
        edges[f"{side}_id"] = edges[f"{side}_key"].map(ids).fillna(0).astype(int)
    people = pd.read_parquet(built_city / "truth" / "person.parquet").set_index("person_id")
    return City(built_city, edges, people)


def share(part: set[tuple[int, int]], whole: set[tuple[int, int]]) -> float:
    """How much of a whole a part covers."""
    assert whole
    return len(part & whole) / len(whole)


def both_ways(pairs: pd.DataFrame, left: str, right: str) -> set[tuple[int, int]]:
    """Pairs of ids, each in both orders."""
    one = set(zip(pairs[left].astype(int), pairs[right].astype(int), strict=True))
    return one | {(b, a) for a, b in one}


def test_every_edge_has_its_mirror(kin: City) -> None:
    columns = ["kind", "edge_no", "from_date", "to_date", "end_reason"]
    edges = kin.edges.fillna({"from_date": "", "to_date": "", "end_reason": ""})
    there = set(edges[["person_key", "relative_key", *columns]].itertuples(index=False, name=None))
    assert set(edges.kind) == set(MIRROR)
    mirrored = edges.assign(kind=edges.kind.map(MIRROR))[["relative_key", "person_key", *columns]]
    assert set(mirrored.itertuples(index=False, name=None)) == there


def test_couples_are_true_couples_and_nearly_all_are_known(kin: City) -> None:
    marriage = kin.truth("marriage")
    true = both_ways(marriage, "husband_person_id", "wife_person_id")
    found = set(zip(*(kin.pairs("spouse")[it] for it in ("person_id", "relative_id")), strict=True))
    assert share(true, found) >= 0.995
    at_home = kin.people[kin.people.resident & (kin.people.relation == "10")].index
    running = marriage[marriage.ended_on.isna() & marriage.wife_person_id.isin(at_home)]
    assert share(found, both_ways(running, "husband_person_id", "wife_person_id")) >= 0.95


def test_registries_date_marriages_and_their_ends(kin: City) -> None:
    marriage = kin.truth("marriage")
    spouses = kin.pairs("spouse").merge(
        marriage, left_on=["person_id", "relative_id"], right_on=["husband_person_id", "wife_person_id"]
    )
    dated = spouses[spouses.from_date.notna()]
    by_registry = dated[dated.from_date_source == "marriage_registry"]
    assert len(by_registry) > 20
    assert (by_registry.from_date == by_registry.registered_on).all()
    by_archive = dated[dated.from_date_source == "marriage_archive"]
    assert len(by_archive) > 100
    assert (by_archive.from_date == by_archive.registered_on).mean() >= 0.93
    divorced = spouses[(spouses.end_kind == "离婚") & spouses.end_reason.eq("离婚")]
    assert len(divorced) > 10
    assert (divorced.to_date == divorced.ended_on).mean() >= 0.95


def test_children_have_the_parents_of_their_certificates_and_households(kin: City) -> None:
    births = kin.truth("birth")
    births["certificate"] = [f"B{number:010d}" for number in range(1, len(births) + 1)]
    fault = kin.truth("fault").query("source == 'health' and table_name == 'birth'")
    unread = fault[fault.kind.isin(["blank", "wrong", "late"])]
    certified = pd.concat(
        births[~births.certificate.isin(unread.row_key[~unread.column_name.eq(f"{other}_pid")])][
            ["person_id", f"{side}_person_id"]
        ]
        .dropna()
        .set_axis(["child", "parent"], axis=1)
        for side, other in (("mother", "father"), ("father", "mother"))
    )
    found = set(zip(*(kin.pairs("parent")[it] for it in ("person_id", "relative_id")), strict=True))
    assert len(certified) > 100
    assert set(certified.astype(int).itertuples(index=False, name=None)) <= found
    people = kin.people[kin.people.resident].reset_index()
    heads = people[people.relation == "02"].set_index("household_no").person_id
    people["head"] = people.household_no.map(heads)
    listed = people.dropna(subset="head").astype({"head": int})
    downward = set(
        listed[listed.relation.isin(["20", "30"])][["person_id", "head"]].itertuples(index=False, name=None)
    )
    upward = set(
        listed[listed.relation.isin(PARENTS)][["head", "person_id"]].itertuples(index=False, name=None)
    )
    assert share(found, downward | upward) >= 0.95
    # Beside those listed now and those certified there are children of heads who have died or left.
    of_births = {
        (int(child), int(parent))
        for side in ("mother_person_id", "father_person_id")
        for child, parent in births[["person_id", side]].dropna().itertuples(index=False, name=None)
    }
    known = downward | upward | of_births
    gone = {pair for pair in found if not kin.people.loc[list(pair), "resident"].all()}
    assert share(known, found - gone) >= 0.97


def test_a_parent_is_one_from_the_day_the_child_was_born(kin: City) -> None:
    parents = kin.pairs("parent")
    born = parents.person_id.map(kin.people.birth_date)
    assert (parents.from_date == born).mean() >= 0.99


def test_who_shares_a_household_now_is_a_member_of_it(kin: City) -> None:
    people = kin.people[kin.people.resident].reset_index()[["person_id", "household_no"]]
    together = people.merge(people, on="household_no").query("person_id_x != person_id_y")
    true = set(together[["person_id_x", "person_id_y"]].itertuples(index=False, name=None))
    found = set(
        zip(
            *(kin.pairs("household_member", running=True)[it] for it in ("person_id", "relative_id")),
            strict=True,
        )
    )
    assert share(true, found) >= 0.99
    assert share(found, true) >= 0.95


def test_the_first_death_ends_every_edge(kin: City) -> None:
    died = kin.people.died_on.dropna()
    ended = kin.edges[kin.edges.end_reason == "死亡"]
    assert len(ended) > 20
    first = pd.concat([ended.person_id.map(died), ended.relative_id.map(died)], axis=1).min(axis=1)
    known = first.notna()
    assert known.mean() >= 0.99
    assert (ended.to_date[known] == first[known]).mean() >= 0.99
    dead = set(died.index)
    running = kin.edges[kin.edges.to_date.isna()]
    assert running.person_id.isin(dead).sum() == 0
