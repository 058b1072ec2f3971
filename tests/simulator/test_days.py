"""Days pass deterministically, one by one or several at once; a killed run is repeated without trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError, TransientError
from huiliu.provision import SIMULATED_SOURCES
from huiliu.settings import PROJECT_ROOT
from simulator import days, store, writers
from simulator.loading import as_owner
from tests.simulator import contents

NewCity = Callable[..., Path]
SELDOM = {("medical_insurance", "facility"), ("education", "school")}  # nothing opens within a month
_REPLACING = writers.replacing


class KilledError(Exception):
    """Stands for the end of the process."""


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(new_city: NewCity) -> None:
    first = contents.fingerprint(new_city("first"))
    assert contents.fingerprint(new_city("second")) == first
    other = contents.fingerprint(new_city("third", seed=8))
    assert other["truth/person.parquet"] != first["truth/person.parquet"]


def test_one_day_twice_is_two_days(new_city: NewCity) -> None:
    home = new_city("one by one")
    assert days.advance(1, home) == date(2026, 1, 16)
    assert days.advance(1, home) == date(2026, 1, 17)
    twice = contents.fingerprint(home)
    home = new_city("at once")
    assert days.advance(2, home) == date(2026, 1, 17)
    assert contents.fingerprint(home) == twice


def test_a_month_turn_brings_payments_and_everything_happens_in_a_month(new_city: NewCity) -> None:
    home = new_city("month", persons=4000)
    before = {name: contents.table(*name) for name in contents.KEYS}
    people = contents.truth(home, "person")
    days.advance(20, home)
    after = {name: contents.table(*name) for name in contents.KEYS}
    for name, rows in after.items():
        assert name in SELDOM or set(rows) - set(before[name]), f"nothing new in {name}"
    paid = [row for row in after["civil_affairs", "subsidy_payment"].values() if row["month"] == "202602"]
    assert len(paid) > 50
    assert {row["paid_on"] for row in paid} == {"2026-02-01"}
    gone = {name for name, rows in before.items() if set(rows) - set(after[name])}
    assert ("civil_affairs", "subsidy_payment") in gone
    assert ("social_security", "employment") in gone
    now = contents.truth(home, "person")
    districts = [(it["district_code"], then["district_code"]) for it, then in zip(now, people, strict=False)]
    assert sum(new != old for new, old in districts) > 10
    assert any(
        it["left_on"] for it in now[: len(people)] if it["left_on"] and it["left_on"] > date(2026, 1, 15)
    )
    assert [
        it for it in contents.truth(home, "award") if it["ended_on"] and it["ended_on"] > date(2026, 1, 15)
    ]
    ends = {
        it["end_kind"]
        for it in contents.truth(home, "marriage")
        if it["ended_on"] and it["ended_on"] > date(2026, 1, 15)
    }
    assert ends == {"离婚", "丧偶"}


def test_about_one_row_in_a_hundred_changes_in_a_day(new_city: NewCity) -> None:
    home = new_city("day", persons=4000)
    before = {name: contents.table(*name) for name in contents.KEYS}
    days.advance(1, home)
    changed = total = 0
    for name, rows in before.items():
        after = contents.table(*name)
        changed += sum(after.get(key) != rows.get(key) for key in set(after) | set(rows))
        total += len(rows)
    assert 0.004 < changed / total < 0.02


class _Life:
    """Counts the databases opened and the files replaced, and ends the process before one of them."""

    def __init__(self, ends_before: int | None = None) -> None:
        self.ends_before, self.moments = ends_before, 0

    def _moment(self) -> None:
        if self.moments == self.ends_before:
            raise KilledError
        self.moments += 1

    def opened(self, source: str) -> Connection:
        self._moment()
        return as_owner(source)

    @contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        self._moment()
        with _REPLACING(path) as target:
            yield target


def test_killed_before_any_database_or_file_a_second_run_ends_as_if_it_had_not_been(
    new_city: NewCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = new_city("unharmed", persons=300)
    whole = _Life()
    _live(whole, home, monkeypatch)
    expected = contents.fingerprint(home)
    home = new_city("killed", persons=300)
    for moment in range(whole.moments):
        with pytest.raises(KilledError):
            _live(_Life(ends_before=moment), home, monkeypatch)
    assert days.advance(1, home) == date(2026, 1, 16)
    assert contents.fingerprint(home) == expected
    assert whole.moments > len(SIMULATED_SOURCES)


def _live(life: _Life, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writers, "replacing", life.replacing)
        days.advance(1, home, opened=life.opened)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_commit(new_city: NewCity, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    home = new_city("unharmed")
    days.advance(1, home)
    expected = contents.fingerprint(home)
    home = new_city("killed")
    commit = store.commit

    def dying(state: object, folder: Path) -> None:
        if when == "after":
            commit(state, folder)  # type: ignore[arg-type]  # passed on as it came
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(store, "commit", dying)
        with pytest.raises(KilledError):
            days.advance(1, home)
    assert days.advance(1, home) == date(2026, 1, 16)
    assert contents.fingerprint(home) == expected


def test_a_process_killed_for_real_leaves_nothing_half_done(new_city: NewCity) -> None:
    home = new_city("unharmed")
    days.advance(1, home)
    expected = contents.fingerprint(home)
    home = new_city("killed")
    program = (
        "import os, signal, sys; from pathlib import Path; from simulator import days, store\n"
        "store.truth.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "days.advance(1, Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], cwd=PROJECT_ROOT, env=os.environ, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert days.advance(1, home) == date(2026, 1, 16)
    assert contents.fingerprint(home) == expected


def test_sources_of_another_city_are_refused(new_city: NewCity) -> None:
    home = new_city("old")
    new_city("new", seed=8)
    with pytest.raises(DataError, match="Source police holds step 0"):
        days.advance(1, home)


def test_a_city_of_another_version_is_refused(new_city: NewCity) -> None:
    home = new_city(persons=300)
    meta = home / "simulator" / "current" / "state" / "meta.json"
    known = json.loads(meta.read_text(encoding="utf-8"))
    meta.write_text(json.dumps({name: it for name, it in known.items() if name != "shape"}), encoding="utf-8")
    with pytest.raises(ConfigError, match="another version of the simulator"):
        days.advance(1, home)


def test_without_a_city_no_day_passes(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no simulated city"):
        days.advance(1, tmp_path)


def test_two_simulators_do_not_interleave(new_city: NewCity) -> None:
    home = new_city()
    with store.locked(home), pytest.raises(TransientError, match="Another process"):
        days.advance(1, home)


def test_rows_changed_today_are_stamped_today_and_no_other(new_city: NewCity) -> None:
    home = new_city()
    before = contents.table("police", "resident")
    days.advance(1, home)
    for key, row in contents.table("police", "resident").items():
        stamped_today = str(row["updated_at"]).startswith("2026-01-16")
        assert stamped_today == (before.get(key) is None or before[key]["updated_at"] != row["updated_at"])
        assert stamped_today or row == before[key]


def test_the_reader_sees_every_source_table(new_city: NewCity) -> None:
    new_city()
    with connect("source:police") as conn:
        row = conn.execute("select city, step, label, business_date from simulator_state").fetchone()
    assert row is not None
    assert row[1:] == (0, "create", date(2026, 1, 15))
