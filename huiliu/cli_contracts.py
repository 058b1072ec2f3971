"""The verb about quality contracts: which rules hold where, each contract whole, whether its SQL is right."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huiliu.cli_output import Json, report, say, show

if TYPE_CHECKING:
    from soda_checks.contract import Contract


def contracts(
    write: Annotated[
        Path | None,
        typer.Option(help="Write each contract whole, to be read, into this folder."),
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Have the warehouse, with all models built, explain each rule's SQL.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List each table's contract and its rules; nothing is read of the tables."""
    from soda_checks import documents
    from soda_checks.contract import load_contracts

    known = load_contracts()
    if check:
        _check(known.values())
    if write is not None:
        for contract in known.values():
            documents.write(contract, write, date.today())  # noqa: DTZ011 - the day of the machine
        say(f"{len(known)} contracts in {write}")
    rows = [_row(contract) for contract in known.values()]
    columns = ["table", "department", "checks", "blocking", "rules"]
    report(rows, as_json, lambda: show(rows, columns, "contracts"))


def _check(known: Iterable[Contract]) -> None:
    from huiliu import business_date
    from huiliu.database import connect
    from soda_checks.trial import faults

    with connect("warehouse:score", autocommit=True) as connection:
        found = faults(connection, known, business_date.get(connection))
    for fault in found:
        say(f"cannot be evaluated: {fault}")
    if found:
        raise typer.Exit(1)


def _row(contract: Contract) -> dict[str, object]:
    attributes = [bound.check.attributes for bound in contract.bound()]
    return {
        "table": contract.table_name,
        "department": contract.huiliu.department,
        "checks": len(attributes),
        "blocking": sum(it.blocking for it in attributes),
        "rules": " ".join(sorted({it.rule_id for it in attributes})),
    }
