"""`kill -9` of the running step or of PostgreSQL at random moments, then a re-run: nothing shows of it.

`python -m tests.flow.kill_under_airflow` does the same to the scheduler and to tasks under Airflow.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow import kill_actions, kill_moments
from tests.flow.kill_moments import CrashError, Life, Moment, Twin

log = logging.getLogger(__name__)

SEED = 20260115
PERSONS = 700
DAYS = 1
KILLS_A_DAY = 6
# Days that pass at the sources before each run, so that most tables have changes to land.
DAYS_BETWEEN = 2
RERUNS = 4
NOTHING_FAILED: list[str] = []


@pytest.fixture(scope="module")
def cities() -> Iterator[tuple[Twin, Twin]]:
    """Twin cities before their first day: one never to be disturbed, one to be killed."""
    with tempfile.TemporaryDirectory() as folder:
        regions = Path(folder) / "two_districts.csv"
        kill_moments.write_two_districts(regions)
        with kill_moments.twins(regions) as twins:
            kill_moments.both(twins, kill_actions.found, PERSONS, SEED)
            yield twins


def _begin(twin: Twin) -> Life[list[str]]:
    return twin.begin(kill_actions.run_day, reports=True)


def _kill(twin: Twin, moment: Moment, usual: dict[str, float]) -> str:
    """Run the flow and kill at the moment; returns the step that was really running."""
    share = moment.share
    life = _begin(twin)
    life.until_step(moment.step)
    while not life.survives(usual[moment.step] * share):
        assert life.result() == NOTHING_FAILED
        share /= 3  # there was less to do than in the run that was measured
        life = _begin(twin)
        life.until_step(moment.step)
    step = life.steps[-1][0]
    if moment.victim != "postgres":
        life.kill()
        return step
    pid = twin.begin(kill_actions.postgres_pid).result()
    os.kill(int(str(pid)), signal.SIGKILL)
    how, what = life.end()
    if how == "crashed":
        raise CrashError(f"{moment}, in {step}: {what}")
    twin.begin(kill_actions.serve).result()
    return step


def _finish(twin: Twin) -> int:
    """Run again until nothing fails; returns how many runs that took.

    One is enough unless the server has not yet noticed that the killed one is gone: it looks every 2 seconds.
    """
    failures: object = None
    for attempt in range(1, RERUNS + 1):
        failures = _begin(twin).result()
        if failures == NOTHING_FAILED:
            return attempt
        time.sleep(1)
    raise AssertionError(f"still failing after {RERUNS} runs: {failures}")


@pytest.mark.timeout(2400)
def test_killed_anywhere_ends_the_same(cities: tuple[Twin, Twin]) -> None:
    undisturbed, killed = cities
    first = [_begin(twin) for twin in cities]
    assert [life.result() for life in first] == [NOTHING_FAILED, NOTHING_FAILED]
    usual = first[0].seconds()
    planned = kill_moments.moments(SEED, DAYS, KILLS_A_DAY)
    for day in range(1, DAYS + 1):
        kill_moments.both(cities, kill_actions.pass_eventful_days, DAYS_BETWEEN, day)
        whole = _begin(undisturbed)
        for moment in (it for it in planned if it.day == day):
            begun = time.monotonic()
            step = _kill(killed, moment, usual)
            log.info("%s, hit in %s, %.1f s", moment, step, time.monotonic() - begun)
        reruns = _finish(killed)
        assert whole.result() == NOTHING_FAILED
        usual = whole.seconds()
        expected, found = kill_moments.both(cities, kill_actions.picture)
        log.info("day %d: %d runs to finish, %d tables", day, reruns, len(expected.rows))
        assert len(expected.rows) > 60
        assert expected.faults == found.faults == {}
        assert kill_moments.differences(expected.rows, found.rows) == {}
