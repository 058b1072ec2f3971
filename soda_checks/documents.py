"""A contract whole, in Soda's form, for people to read: no scoring goes through this.

Soda parses it, but cannot judge by it: it knows neither the source's texts nor what a small batch may hold.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from soda_checks.conditions import Relation, counting_queries
from soda_checks.contract import Check, Contract


def write(contract: Contract, folder: Path, day: date) -> Path:
    """Write one contract under `<folder>/<layer>/<model>.yml` as it holds on a day; return the path."""
    path = folder / contract.layer / f"{contract.model}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document(contract, day), encoding="utf-8")
    return path


def document(contract: Contract, day: date) -> str:
    """Return the YAML of a Soda contract on the table; it has no column named `…_raw`."""
    relation = Relation(contract.layer, contract.model, day)
    body: dict[str, Any] = {
        "dataset": f"huiliu/warehouse/{contract.layer}/{contract.model}",
        "columns": [
            {"name": column.name, "checks": [_check(contract, check, relation) for check in column.checks]}
            for column in contract.columns
        ],
        "checks": [_check(contract, check, relation) for check in contract.checks],
    }
    return yaml.dump(
        {key: it for key, it in body.items() if it},
        Dumper=yaml.CSafeDumper,
        allow_unicode=True,
        sort_keys=False,
        width=120,
    )


def _check(contract: Contract, check: Check, relation: Relation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": check.name,
        "qualifier": check.qualifier,
        "attributes": check.attributes.model_dump(mode="json", exclude_none=True)
        | {"dimension": check.attributes.dimension, "weight": float(check.attributes.weight)},
        "threshold": _threshold(check),
    }
    if check.query is not None or check.groups is not None:
        body["query"], body["rows_tested_query"] = counting_queries(contract, check, relation)
    else:
        body |= {"filter": relation.fill(check.filter)} if check.filter else {}
        body["expression"] = relation.fill(check.expression or "")
    return {check.type: body}


def _threshold(check: Check) -> dict[str, Any]:
    if check.threshold is not None:
        return check.threshold.model_dump()
    return {"must_be": 0} | ({} if check.attributes.blocking else {"level": "warn"})
