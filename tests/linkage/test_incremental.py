"""Days of random changes end where a rebuild ends; a killed step leaves nothing, and its repetition all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import date, timedelta
from random import Random

from huiliu.database import connect
from tests.linkage.toy_people import DAY, ToyPeople, key

SURNAMES, GIVEN = "王李张", ("建国", "健国", "淑珍", "伟", "芳")
DAYS = 4
_PLACES, _SEQUENCES = ("370602", "370603"), ("451", "457", "751")
# The step up to where its pairs are written and nothing is decided; then it waits for its end.
_HALF_A_STEP = """
import sys, time
from datetime import date
from huiliu.database import connect
from linkage import matches, run

def wait(*_):
    print("midway", flush=True)
    time.sleep(600)

matches.fetch = wait
with connect("warehouse:build", autocommit=True) as conn:
    run.link(conn, int(sys.argv[1]), date.fromisoformat(sys.argv[2]))
"""


def test_days_of_changes_end_where_a_rebuild_ends(toy_people: ToyPeople) -> None:
    rng = Random(20260115)  # noqa: S311  # a seeded story, no secret
    people, records = [f"person {it}" for it in range(40)], [f"record {it}" for it in range(60)]
    for name in people:
        toy_people.person(name, **_person(rng))
    for name in records:
        toy_people.record(name, **_record(rng))
    assert toy_people.link().in_full
    for day in range(DAYS):
        for name in rng.sample(people, 4):
            toy_people.person(name, **_person(rng))
        for name in rng.sample(records, 4):
            toy_people.record(name, **_record(rng))
        toy_people.remove("record", [rng.choice(records)])
        toy_people.remove("person", [rng.choice(people)])
        for _ in range(4):
            toy_people.decide(rng.choice(records), rng.choice(records + people), rng.choice(_SAID))
        if day == 1:
            _change_thresholds()
        done = toy_people.link()
        assert not done.in_full
        assert done.scored <= 10
    of_days = toy_people.rows()
    assert toy_people.link(full=True).changed == 0
    assert toy_people.rows() == of_days
    ways = {row[0] for row in toy_people.conn.execute("select distinct method from linkage.match")}
    assert ways >= {"model", "repaired", "decided", "cluster", None}


def test_a_day_decides_only_whom_it_concerns(toy_people: ToyPeople) -> None:
    rng = Random(5)  # noqa: S311  # a seeded story, no secret
    for it in range(30):
        toy_people.person(f"person {it}", **_person(rng))
        toy_people.record(f"record {it}", **_record(rng))
    stranger = {"name": "司马青", "sex": "2", "birth_date": date(1911, 5, 1)}
    toy_people.record("stranger", **stranger)
    toy_people.link()
    toy_people.record("stranger", **stranger | {"name": "司马菁"})
    assert toy_people.link().decided == 1
    assert toy_people.link().decided == 0
    # Whom people decided about is decided anew, once, even where nothing was touched.
    toy_people.decide("stranger", "record 1", "different")
    assert toy_people.link().decided >= 2
    assert toy_people.link().decided == 0
    _change_thresholds()
    assert toy_people.link().decided == 31


def test_a_page_that_changes_frees_the_party_of_its_copy(toy_people: ToyPeople) -> None:
    toy_people.person("wang", pid="370602195603154518", name="王建国", sex="1", birth_date=date(1956, 3, 15))
    page = {"birth_date": date(1956, 3, 15), "relative_kind": "配偶", "event_on": date(1980, 5, 1)}
    toy_people.record("groom", name="王建国", relative_name="王健国", **page)
    toy_people.record("bride of a copy", name="王健国", relative_name="王建国", **page)
    toy_people.link()
    assert toy_people.match("bride of a copy") == (key("bride of a copy"), "review", None)
    toy_people.record("groom", name="诸葛青", relative_name="王健国", **page)
    toy_people.link()
    assert toy_people.match("bride of a copy") == (key("wang"), "linked", "model")


def test_a_step_killed_in_its_middle_leaves_nothing_and_its_repetition_all(toy_people: ToyPeople) -> None:
    rng = Random(7)  # noqa: S311  # a seeded story, no secret
    for it in range(20):
        toy_people.person(f"person {it}", **_person(rng))
        toy_people.record(f"record {it}", **_record(rng))
    toy_people.link()
    before = toy_people.rows()
    for it in range(5):
        toy_people.person(f"person {it}", **_person(rng))
        toy_people.record(f"record {it}", **_record(rng))
    toy_people.build += 1
    day = (DAY + timedelta(days=toy_people.build)).isoformat()
    step = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_HALF_A_STEP), str(toy_people.build), day],
        stdout=subprocess.PIPE,
        text=True,
    )
    with step:
        assert step.stdout is not None
        assert step.stdout.readline() == "midway\n"
        os.kill(step.pid, signal.SIGKILL)
    assert step.returncode == -signal.SIGKILL
    assert toy_people.rows() == before
    assert not toy_people.link(build=toy_people.build).in_full
    after = toy_people.rows()
    assert after != before
    assert toy_people.link(full=True).changed == 0
    assert toy_people.rows() == after


_SAID = ("same", "different")


def _change_thresholds() -> None:
    with connect("warehouse", autocommit=True) as owner:
        owner.execute("update linkage.threshold set accept = accept - 2, cluster = cluster - 4")


def _name(rng: Random) -> str:
    return rng.choice(SURNAMES) + rng.choice(GIVEN)


def _day(rng: Random) -> date:
    return date(1950, 1 + rng.randrange(2), 1 + rng.randrange(3))


def _number(rng: Random, day: date) -> str:
    return f"{rng.choice(_PLACES)}{day:%Y%m%d}{rng.choice(_SEQUENCES)}0"


def _person(rng: Random) -> dict[str, object]:
    name, day = _name(rng), _day(rng)
    return {
        "pid": _number(rng, day),
        "name": name,
        "names": [name, _name(rng)][: 1 + rng.randrange(2)],
        "sex": rng.choice("12"),
        "birth_date": day,
        "spouse_names": [_name(rng) for _ in range(rng.randrange(3))],
        "region_codes": [f"37060{rng.randrange(2, 4)}001"],
    }


def _record(rng: Random) -> dict[str, object]:
    day = _day(rng)
    if rng.random() < 0.3:  # of somebody who is nobody in the city
        return {
            "name": "诸葛" + rng.choice("青菁山"),
            "sex": rng.choice("12"),
            "birth_date": date(1931, 1, rng.choice([1, 1, 1, 11])),
            "relative_name": rng.choice(["欧阳山", "欧阳伟"]),
            "relative_kind": "配偶",
            "event_on": date(1957, 1, 1 + rng.randrange(3)),
        }
    return {
        "name": rng.choice([_name(rng), _name(rng), _name(rng), None]),
        "sex": rng.choice(["1", "2", None]),
        "birth_date": rng.choice([day, None]),
        "birth_year": day.year,
        "pid_claimed": rng.choice([_number(rng, day), None, None]),
        "region_code": rng.choice(["370602001", "370603", None]),
        "relative_name": rng.choice([_name(rng), None]),
        "relative_kind": "配偶",
        "event_on": date(1980, 1, 1 + rng.randrange(3)),
    }
