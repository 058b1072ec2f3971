"""Persons who move between consumers: one logged pair each, with a defined outcome in every case."""

from __future__ import annotations

import pytest
from returnflow_city import A, B, C, City, key_of

from huiliu.connections import dsn
from huiliu.database import connect
from returnflow.run import ReturnError, deliver_all

P = 1000


@pytest.fixture
def served(city: City) -> City:
    """A, B, C and D were served once; person P lives in A."""
    for number, township in enumerate((A, B, C)):
        city.fill(township, number * 100 + 1, 5)
    city.put(P, A)
    city.deliver()
    return city


class Unreachable:
    """Front-end databases whose password is wrong while this lasts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *codes: str) -> None:
        self.monkeypatch, self.codes = monkeypatch, codes

    def __enter__(self) -> None:
        for code in self.codes:
            good = dsn(f"front_writer:{code}")
            start, _, rest = good.rpartition("@")
            user = start.rsplit(":", 1)[0]
            self.monkeypatch.setenv(f"HUILIU_DSN_FRONT_WRITER__{code}", f"{user}:wrong@{rest}")

    def __exit__(self, *_: object) -> None:
        for code in self.codes:
            self.monkeypatch.delenv(f"HUILIU_DSN_FRONT_WRITER__{code}")


def deliver_with_failure(city: City) -> None:
    with pytest.raises(ReturnError):
        city.deliver()


def test_first_loads_are_no_arrivals(served: City) -> None:
    assert served.moves() == []


def test_a_move_is_one_pair_closed_by_two_receipts(served: City) -> None:
    served.put(P, B)
    served.deliver()
    assert served.moves() == [(A, B, True, True, "moved")]
    assert key_of(P) not in served.persons(A)
    assert key_of(P) in served.persons(B)
    served.deliver()
    assert len(served.moves()) == 1


def test_leaving_the_city_and_arriving_from_outside(served: City) -> None:
    served.take(P)
    served.put(P + 1, B)
    served.deliver()
    assert served.moves() == [(A, None, True, False, "left"), (None, B, False, True, "arrived")]


def test_the_old_township_deletes_while_the_new_one_is_unreachable(
    served: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.put(P, C)
    with Unreachable(monkeypatch, "370611"):
        deliver_with_failure(served)
        assert served.moves() == [(A, C, True, False, None)]
        assert served.rows("select waits_for_delete_at, waits_for_insert_at from ops.open_region_move") == [
            (None, C)
        ]
        deliver_with_failure(served)
    served.deliver()
    assert served.moves() == [(A, C, True, True, "moved")]
    served.assert_delivered()


def test_the_new_township_inserts_while_the_old_one_is_unreachable(
    served: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.put(P, C)
    with Unreachable(monkeypatch, "370602"):
        deliver_with_failure(served)
        assert served.moves() == [(A, C, False, True, None)]
        deliver_with_failure(served)
    served.deliver()
    assert served.moves() == [(A, C, True, True, "moved")]
    served.assert_delivered()


def test_moving_on_before_the_new_township_was_ever_served(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.put(P, A)
    with Unreachable(monkeypatch, "370611"):
        deliver_with_failure(city)
        city.put(P, C)
        deliver_with_failure(city)
        assert city.moves() == [(A, C, True, False, None)]
        city.put(P, B)
        deliver_with_failure(city)
        assert city.moves() == [(A, C, True, False, "superseded"), (A, B, True, True, "moved")]
    city.deliver()
    assert len(city.moves()) == 2
    city.assert_delivered()


def test_coming_back_before_the_new_township_was_served(
    served: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Unreachable(monkeypatch, "370611"):
        served.put(P, C)
        deliver_with_failure(served)
        served.put(P, A)
        deliver_with_failure(served)
    served.deliver()
    assert served.moves() == [(A, C, True, False, "superseded"), (A, A, True, True, "returned")]
    served.assert_delivered()


def test_coming_back_before_anything_was_done(served: City, monkeypatch: pytest.MonkeyPatch) -> None:
    with Unreachable(monkeypatch, "370602", "370611"):
        served.put(P, C)
        deliver_with_failure(served)
        served.put(P, A)
        deliver_with_failure(served)
    served.deliver()
    assert served.moves() == [(A, C, False, False, "cancelled")]
    served.assert_delivered()


def test_leaving_the_city_before_the_new_township_was_served(
    served: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Unreachable(monkeypatch, "370611"):
        served.put(P, C)
        deliver_with_failure(served)
        served.take(P)
        deliver_with_failure(served)
    assert served.moves() == [(A, C, True, False, "superseded"), (A, None, True, False, "left")]


def test_moving_back_while_the_old_township_never_deleted(
    served: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Unreachable(monkeypatch, "370602"):
        served.put(P, C)
        deliver_with_failure(served)
        served.put(P, A)
        deliver_with_failure(served)
    served.deliver()
    assert served.moves() == [(A, C, False, True, "superseded"), (C, A, True, True, "moved")]
    served.assert_delivered()


def test_moving_on_while_the_first_township_never_deleted(
    served: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Unreachable(monkeypatch, "370602"):
        served.put(P, C)
        deliver_with_failure(served)
        served.put(P, "370612001")
        deliver_with_failure(served)
        assert served.moves() == [(A, C, False, True, None), (C, "370612001", True, True, "moved")]
    served.deliver()
    assert served.moves() == [(A, C, True, True, "moved"), (C, "370612001", True, True, "moved")]
    served.assert_delivered()


def test_the_old_township_is_held_while_the_new_one_goes_out(city: City) -> None:
    city.fill(A, 1, 40)
    city.fill(B, 100, 5)
    city.deliver()
    for person in range(1, 31):
        city.put(person, B)
    result = city.deliver()
    assert (result.delivered, result.held) == (3, 1)
    assert len(city.held(A)) == 40
    assert len(city.held(B)) == 35
    assert set(city.moves()) == {(A, B, False, True, None)}
    assert city.notices(A)[-1] == ("resident_roster", None, "删除比例异常，待核实，沿用上次数据")
    deliver_all(["resident_roster"], release_mass_delete=True)
    assert set(city.moves()) == {(A, B, True, True, "moved")}
    assert len(city.moves()) == 30
    city.assert_delivered()


def test_a_move_between_districts_is_a_pair_at_each_level(city: City) -> None:
    city.verdict(P, (A, "370602"))
    city.deliver("veteran_subsidy")
    city.verdict(P, (C, "370611"))
    city.deliver("veteran_subsidy")
    assert sorted(city.moves()) == [("370602", "370611", True, True, "moved"), (A, C, True, True, "moved")]


def test_a_move_inside_a_district_is_none_of_the_district(city: City) -> None:
    city.verdict(P, (A, "370602"))
    city.deliver("veteran_subsidy")
    city.verdict(P, (B, "370602"))
    city.deliver("veteran_subsidy")
    assert city.moves() == [(A, B, True, True, "moved")]
    with connect("front:370602") as conn:
        assert conn.execute("select count(*) from d370602.veteran_subsidy").fetchone() == (1,)
