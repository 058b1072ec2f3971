"""Each rule against a hundred planted faults and as many near misses, on real raw tables and typed views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from good_rows import MAKERS
from own_warehouse import own_warehouse
from plants.built import (
    DIVISION,
    expected_regions,
    flagged_regions,
    make_identities,
    plant_regions,
    score_regions,
)
from plants.counting import Binding, Counting
from plants.planting import Garden, bindings_of, land, lay_out
from plants.proof import Flagged, Tally, flagged_rows, page, score
from plants.record import KINDS

from huiliu.database import connect
from huiliu.settings import get_settings
from soda_checks.contract import Contract, load_contracts
from soda_checks.rules import catalogue
from soda_checks.scan import Count

PAGE = get_settings().project_root / "docs" / "quality_proof.md"
RULES = sorted(catalogue().rules)


@dataclass(frozen=True)
class Proof:
    """What was planted, what was flagged, and the count of both."""

    garden: Garden
    flagged: Flagged
    tallies: dict[str, Tally]
    contracts: dict[str, Contract]
    counted: dict[Binding, tuple[Count, Count | None]]


@pytest.fixture(scope="module")
def proof(staging_views: str) -> Iterator[Proof]:
    """Plant everything, verify every staging table once."""
    contracts = load_contracts()
    staging = [it for it in contracts.values() if it.layer == "staging"]
    garden = lay_out(contracts)
    with (
        own_warehouse("quality_plants", template=staging_views) as owner,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("HUILIU_DSN_WAREHOUSE", owner)
        with connect("warehouse", autocommit=True) as connection:
            land(connection, garden)
            make_identities(connection, garden)
            regions = plant_regions(connection, contracts[DIVISION])
        with connect("warehouse:score", autocommit=True) as connection:
            flagged = flagged_rows(connection, staging)
            empty, of_regions = flagged_regions(connection, contracts[DIVISION])
            counting = Counting(garden)
            counted = {
                binding: (counting.expected(binding), found)
                for binding, found in counting.found(connection, staging)
            }
        counted["C06", DIVISION, ""] = expected_regions(regions), of_regions
        tallies = score(garden, flagged) | {"C06": score_regions(regions, empty)}
        yield Proof(garden, flagged, tallies, contracts, counted)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_its_faults_and_nothing_else(proof: Proof, rule: str) -> None:
    tally = proof.tallies[rule]
    assert {kind: len(cases) >= 100 for kind, cases in tally.cases.items()} == dict.fromkeys(KINDS, True)
    assert tally.recall >= 0.99, [(it.table, it.column, it.draft.why) for it in tally.missed]
    assert tally.precision >= 0.99, [
        (table, column, plant and (plant.rule, plant.draft.why)) for table, column, _, plant in tally.accused
    ]


def test_every_binding_finds_a_fault(proof: Proof) -> None:
    keys = {(plant.rule, plant.table, plant.column) for plant in proof.garden.plants if plant.kind == "fault"}
    bound = {(rule, *place) for rule, places in bindings_of(proof.contracts).items() for place in places}
    assert keys == bound
    assert [binding for binding in sorted(bound) if not proof.flagged.get(binding)] == []


def test_a_scan_counts_as_many_rows_as_the_record_has(proof: Proof) -> None:
    """Tested and failed, of every binding by itself."""
    unlike = [
        f"{' '.join(binding)}: {expected}, but {found}"
        for binding, (expected, found) in sorted(proof.counted.items())
        if expected != found
    ]
    assert unlike == [], "\n".join(unlike)


def test_clean_rows_pass(proof: Proof) -> None:
    """No good row fails any rule for what was planted beside it."""
    accused = [it for tally in proof.tallies.values() for it in tally.accused if it[3] is None]
    assert accused == []
    assert {plant.table for plant in proof.garden.plants} == set(MAKERS)


def test_the_page_says_what_was_found(proof: Proof, request: pytest.FixtureRequest) -> None:
    bound: dict[str, int] = dict.fromkeys(RULES, 0)
    for contract in proof.contracts.values():
        for it in contract.bound():
            bound[it.check.attributes.rule_id] += 1
    written = page(proof.tallies, bound)
    if request.config.getoption("--write-proof", default=False):
        PAGE.write_text(written, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == written, "write it anew: pytest … --write-proof"
