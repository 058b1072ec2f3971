"""Days of random changes end where a rebuild ends; a killed step leaves nothing, and its repetition all."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from linkage import matches
from tests.linkage.toy_people import ToyPeople

SURNAMES, GIVEN = "王李张", ("建国", "健国", "淑珍", "伟", "芳")
DAYS = 3


def test_days_of_changes_end_where_a_rebuild_ends(toy_people: ToyPeople) -> None:
    rng = Random(20260115)  # noqa: S311  # a seeded story, no secret
    people, records = [f"person {it}" for it in range(40)], [f"record {it}" for it in range(40)]
    for name in people:
        toy_people.person(name, **_person(rng))
    for name in records:
        toy_people.record(name, **_record(rng))
    first = toy_people.link()
    assert first.in_full
    assert first.summary.startswith(f"40 records without a number: {first.linked} linked, ")
    for _ in range(DAYS):
        for name in rng.sample(people, 4):
            toy_people.person(name, **_person(rng))
        for name in rng.sample(records, 4):
            toy_people.record(name, **_record(rng))
        toy_people.remove("record", [rng.choice(records)])
        toy_people.remove("person", [rng.choice(people)])
        day = toy_people.link()
        assert not day.in_full
        assert day.scored <= 10
    of_days = toy_people.rows()
    assert {row[0] for row in toy_people.conn.execute("select distinct status from linkage.match")} >= {
        "linked",
        "alone",
    }
    assert toy_people.link(full=True).changed == 0
    assert toy_people.rows() == of_days


def test_a_step_killed_before_its_end_leaves_nothing_behind(
    toy_people: ToyPeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(7)  # noqa: S311  # a seeded story, no secret
    toy_people.person("one", **_person(rng))
    toy_people.record("first", **_record(rng))
    toy_people.link()
    before = toy_people.rows()
    toy_people.record("second", **_record(rng))
    with monkeypatch.context() as patched:
        patched.setattr(matches, "counts", _killed)
        with pytest.raises(KeyboardInterrupt):
            toy_people.link()
    assert toy_people.rows() == before
    toy_people.link(build=toy_people.build)
    after = toy_people.rows()
    assert len(after["match"]) == 2
    toy_people.link(full=True)
    assert toy_people.rows() == after


def _killed(store: object) -> dict[str, int]:
    raise KeyboardInterrupt


def _name(rng: Random) -> str:
    return rng.choice(SURNAMES) + rng.choice(GIVEN)


def _day(rng: Random) -> date:
    return date(1950, 1 + rng.randrange(2), 1 + rng.randrange(3))


def _person(rng: Random) -> dict[str, object]:
    name = _name(rng)
    return {
        "pid": f"37060219{rng.randrange(10**10):010}",
        "name": name,
        "names": [name, _name(rng)][: 1 + rng.randrange(2)],
        "sex": rng.choice("12"),
        "birth_date": _day(rng),
        "spouse_names": [_name(rng) for _ in range(rng.randrange(3))],
        "region_codes": [f"37060{rng.randrange(2, 4)}001"],
    }


def _record(rng: Random) -> dict[str, object]:
    day = _day(rng)
    return {
        "name": _name(rng),
        "sex": rng.choice(["1", "2", None]),
        "birth_date": rng.choice([day, None]),
        "birth_year": day.year,
        "region_code": rng.choice(["370602001", "370603", None]),
        "relative_name": rng.choice([_name(rng), None]),
        "relative_kind": "配偶",
        "event_on": date(1980, 1, 1 + rng.randrange(3)),
    }
