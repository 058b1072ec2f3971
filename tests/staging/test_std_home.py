"""The key of a home: one for all writings of its address, another for its neighbour's."""

from __future__ import annotations

import psycopg
import pytest

SAME = [
    ("芝罘区向阳街道大海阳社区3号楼2单元501室", "芝罘区向阳街道大海阳社区3-2-501"),
    ("芝罘区向阳街道大海阳社区3栋2单元501", "芝罘区向阳街道大海阳社区３号楼２单元５０１室 "),
    ("乙村12号", "乙村12"),
    ("乙村12号2户", "乙村 12-2户"),
    ("乙村12号a室", "乙村12-A"),
]
OTHER = [
    ("乙村12号", "乙村121号"),
    ("乙村12号", "乙村12号2户"),
    ("乙村12号", "丙村12号"),
    ("乙村1号楼12单元3室", "乙村11号楼2单元3室"),
]


def _keys(warehouse: psycopg.Connection, *addresses: str | None) -> list[object]:
    found = warehouse.execute(
        "select std.home_key(value) from unnest(%s::text[]) as it (value)", [list(addresses)]
    )
    return [row[0] for row in found]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_writings_of_one_address_have_one_key(
    warehouse: psycopg.Connection, one: str, other: str
) -> None:
    first, second = _keys(warehouse, one, other)
    assert first is not None
    assert first == second


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_neighbours_have_keys_of_their_own(warehouse: psycopg.Connection, one: str, other: str) -> None:
    first, second = _keys(warehouse, one, other)
    assert first != second


def test_what_names_no_door_has_no_key(warehouse: psycopg.Connection) -> None:
    assert _keys(warehouse, None, "", "　", "乙村", "不详") == [None] * 5
