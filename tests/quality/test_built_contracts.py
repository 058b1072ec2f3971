"""Every rule bound to the built layers, both ways: clean tables pass, a planted fault fails its own rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from built_tables import TABLES, statement
from own_warehouse import TODAY, own_warehouse

from huiliu.database import Connection, connect
from soda_checks.contract import CONTRACTS as FOLDER
from soda_checks.contract import BoundCheck, Contract, load_contracts
from soda_checks.relations import table_relation
from soda_checks.trial import faults
from soda_checks.verify import CheckOutcome, verify

# Those with a file: what the models' own YAML adds to the others are the same four rules again.
WRITTEN = {f"{path.parent.name}.{path.stem}" for path in FOLDER.glob("*/*.yml")}
CONTRACTS = {name: it for name, it in load_contracts().items() if name in WRITTEN and it.layer != "staging"}
BINDINGS = [(name, bound) for name, contract in CONTRACTS.items() for bound in contract.bound()]


@pytest.fixture(scope="module")
def built(home: Path) -> Iterator[Connection]:
    """A connection, not in autocommit, to a warehouse with the clean tables."""
    with own_warehouse("quality_built") as owner, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HUILIU_DSN_WAREHOUSE", owner)
        with connect("warehouse") as connection:
            connection.execute('grant create on schema base, theme, special, "return" to huiliu_owner')
            connection.execute(TABLES)
            connection.commit()
            yield connection


def _check(connection: Connection, contract: Contract) -> dict[tuple[str, str], CheckOutcome]:
    (outcome,) = verify(connection, [(contract, table_relation(connection, contract, TODAY))])
    return {(check.attributes.rule_id, check.bound.column): check for check in outcome.checks}


def test_the_warehouse_takes_the_sql_of_every_rule(built: Connection) -> None:
    assert faults(built, CONTRACTS.values(), TODAY) == []


@pytest.mark.parametrize("name", CONTRACTS)
def test_clean_tables_pass(built: Connection, name: str) -> None:
    found = _check(built, CONTRACTS[name])
    assert {binding: check for binding, check in found.items() if check.failed != 0} == {}


@pytest.mark.parametrize(("name", "bound"), BINDINGS, ids=lambda it: getattr(it, "column", it))
def test_a_planted_fault_fails_its_rule(built: Connection, name: str, bound: BoundCheck) -> None:
    contract = CONTRACTS[name]
    rule = bound.check.attributes.rule_id
    planted = statement(name, rule, bound.column).format(table=f'"{contract.layer}"."{contract.model}"')
    with built.transaction(force_rollback=True):
        built.execute(planted)  # type: ignore[arg-type]  # SQL put together in this test
        check = _check(built, contract)[rule, bound.column]
        assert check.failed
        assert check.outcome == "failed"
