"""What the demo and the flow's last tasks read from the ledgers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from huiliu import outcomes

BATCH = 900_001
Deliver = Callable[..., None]


@pytest.fixture
def deliver(warehouse: psycopg.Connection[Any]) -> Deliver:
    def make(
        consumer: str, status: str, *, matches: bool | None = None, changed: int = 0, batch: int = BATCH
    ) -> None:
        row = warehouse.execute(
            """
            insert into ops.delivery (batch_id, package, consumer_code, transport, business_date, status,
                rows_upserted, rows_total, error)
            values (%s, 'resident_roster', %s, 'front_database', '2026-01-15', %s, %s, 10, 'no such schema')
            returning delivery_id
            """,
            [batch, consumer, status, changed],
        ).fetchone()
        if matches is not None and row is not None:
            warehouse.execute(
                "insert into ops.receipt (delivery_id, destination_rows, destination_checksum, matches)"
                " values (%s, 10, '0', %s)",
                [row[0], matches],
            )

    return make


def test_only_a_matching_receipt_counts(warehouse: psycopg.Connection[Any], deliver: Deliver) -> None:
    deliver("370602001", "delivered", matches=True, changed=3)
    deliver("370602002", "delivered", matches=False)
    deliver("370602003", "delivered")
    deliver("370602004", "failed")
    deliver("370602005", "held")
    deliver("370602006", "planned")
    found = outcomes.deliveries(warehouse, [BATCH])
    assert (found.due, found.matching, found.held, found.changes) == (6, 1, 1, 3)
    assert [line.split()[1].rstrip(":") for line in found.missing] == [f"37060200{n}" for n in (2, 3, 4, 6)]
    assert "no such schema" in found.missing[0]


def test_a_later_batch_makes_an_earlier_failure_good(
    warehouse: psycopg.Connection[Any], deliver: Deliver
) -> None:
    deliver("370602001", "failed")
    deliver("370602001", "delivered", matches=True, changed=4, batch=BATCH + 1)
    found = outcomes.deliveries(warehouse, [BATCH, BATCH + 1])
    assert (found.due, found.matching, found.changes, found.missing) == (1, 1, 4, [])
    assert outcomes.deliveries(warehouse, [BATCH]).missing
    assert outcomes.deliveries_by_package(warehouse, [BATCH, BATCH + 1]) == [
        ("resident_roster", 1, 1, 0, 4, 10)
    ]


def test_no_batch_owes_nothing(warehouse: psycopg.Connection[Any]) -> None:
    assert outcomes.deliveries(warehouse, []).due == 0
