"""`python -m benchmarks.freshness`: from a change at a source to the township's table, streamed by Airflow.

A city is made and served for a day; then people's names and homes change at the police's database at random
moments, one transaction each, while the townships' own tables are watched. Measured apart from the other
goals: it needs Airflow and lasts as long as its changes are spread over. The last line is the finding.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles
from threading import Event, Thread

from psycopg import sql
from rich.console import Console

from benchmarks import machine, workplace
from benchmarks.finding import Finding, Ratio
from benchmarks.results import Row
from benchmarks.town import Town
from benchmarks.workplace import Say
from huiliu import business_date, services
from huiliu.airflow_api import AirflowApi
from huiliu.database import connect
from huiliu.errors import HuiliuError
from huiliu.flow_watch import STREAM, wait_for_dags
from huiliu.regions import front_code, front_schema
from huiliu.stream import run_stream

GOAL_SECONDS = 120
SEED = 20260115
PACKAGE = "resident_roster"
LOOK_EVERY = 0.5
LAST_WAIT = 300.0  # seconds that the last changes are waited for
WARM_UP = 180.0
_SYLLABLES = "安邦昌达恩芳刚海健康乐敏宁平强荣思泰文祥" + "彦雨泽志中"


@dataclass
class Change:
    """A person's new name or village, and when it was committed at the source and seen at the township."""

    number: int
    resident_id: int
    person_key: str
    township: str
    village: str | None
    committed_at: float = 0.0
    seen_at: float | None = None

    @property
    def name(self) -> str:
        """A name that nobody has."""
        base = len(_SYLLABLES)
        return "测" + _SYLLABLES[self.number // base % base] + _SYLLABLES[self.number % base]

    @property
    def seconds(self) -> float | None:
        """From the commit at the source to the row at the township."""
        return None if self.seen_at is None else self.seen_at - self.committed_at


@dataclass
class Watch:
    """Looks at the townships' tables until every change is there."""

    changes: Sequence[Change]
    ended: Event = field(default_factory=Event)

    @property
    def waiting(self) -> list[Change]:
        """Changes that were committed and not seen yet."""
        return [change for change in self.changes if change.committed_at and change.seen_at is None]

    def run(self) -> None:
        """Look twice a second at the tables that something is to reach."""
        while not self.ended.wait(LOOK_EVERY):
            waiting = self.waiting
            for township in {change.township for change in waiting}:
                self._look([change for change in waiting if change.township == township])

    def _look(self, changes: Sequence[Change]) -> None:
        township = changes[0].township
        query = sql.SQL("select person_key::text, name from {} where person_key = any(%s::uuid[])").format(
            sql.Identifier(front_schema(township), PACKAGE)
        )
        keys = [change.person_key for change in changes]
        with connect(f"front_writer:{front_code(township)}", autocommit=True) as conn:
            held: dict[str, str] = dict(conn.execute(query, [keys]).fetchall())
        now = time.time()
        for change in changes:
            if held.get(change.person_key) == change.name:
                change.seen_at = now


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 if a change was not seen in the end (a goal that is missed is a result)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.freshness", description=__doc__)
    parser.add_argument("--persons", type=int, default=200_000)
    parser.add_argument("--minutes", type=float, default=20, help="over which the changes are spread")
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--here", action="store_true", help="run the stream in this process, without Airflow")
    options = parser.parse_args(arguments)
    out = Console(highlight=False, width=200)
    with workplace.home("freshness", out.print):
        finding, lost = measure(options.persons, options.minutes, options.changes, options.here, out.print)
    row = Row("freshness", "source → township's table", "its goal", finding)
    verdict = f"{row.finding.ratios[0].measured} ({row.finding.ratios[0].goal}), {finding.verdict}"
    out.print(f"P95 {verdict}: {finding.absolute}; load of the machine {machine.load():.1f}")
    return 1 if lost else 0


def measure(persons: int, minutes: float, count: int, here: bool, say: Say) -> tuple[Finding, int]:
    """Serve a day, switch the stream on, change and watch; return what was found and how many were lost."""
    Town(persons, say, serves=True).start()
    changes = _chosen(count)
    stream = Thread(target=partial(run_stream, 24 * 60, say), daemon=True) if here else None
    if stream:
        stream.start()
    else:
        _switch_on(say)
    _wait_for_stream(say)
    watch = Watch(changes)
    watching = Thread(target=watch.run, daemon=True)
    watching.start()
    _spread(changes, minutes * 60, say)
    deadline = time.monotonic() + LAST_WAIT
    while watch.waiting and time.monotonic() < deadline:
        time.sleep(1)
    watch.ended.set()
    watching.join()
    return _finding(persons, minutes, changes, "in this process" if here else "under Airflow")


def _switch_on(say: Say) -> None:
    say("starting Airflow")
    services.up()
    with AirflowApi() as api:
        wait_for_dags(api, [STREAM])
        api.unpause(STREAM)


def _wait_for_stream(say: Say) -> None:
    """Wait for the first micro-batch, which looks for what was left undone."""
    say("waiting for the stream's first micro-batch")
    deadline = time.monotonic() + WARM_UP
    while time.monotonic() < deadline:
        with connect("warehouse") as conn:
            if conn.execute("select 1 from ops.micro_batch").fetchone():
                return
        time.sleep(1)
    raise HuiliuError("the stream did not begin", fix="see the log of stream_cleaning")


def _chosen(count: int) -> list[Change]:
    """Choose residents by chance; every third moves to a village of another township."""
    with connect("warehouse") as conn:
        rows = conn.execute(
            "select person.pid, roster.person_key::text, roster.consumer_code, roster.village_code"
            ' from "return".return_resident_roster as roster'
            " inner join base.base_population__person as person using (person_key)"
            " order by md5(roster.person_key::text) limit %s",
            [2 * count],
        ).fetchall()
    with connect("source_owner:police") as source:
        ids: dict[str, int] = dict(
            source.execute(
                "select pid, min(resident_id) from resident where pid = any(%s)"
                " group by pid having count(*) = 1",
                [[row[0] for row in rows]],
            ).fetchall()
        )
    known = [row for row in rows if row[0] in ids]
    chance = random.Random(SEED)  # noqa: S311 - a repeatable draw, no secret
    changes = []
    for number, (pid, key, township, _) in enumerate(known[:count]):
        target = chance.choice([row for row in known if row[2] != township]) if number % 3 == 0 else None
        place, village = (target[2], target[3]) if target else (township, None)
        changes.append(Change(number, ids[pid], key, place, village))
    return changes


def _spread(changes: Sequence[Change], seconds: float, say: Say) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a repeatable draw, no secret
    begun = time.monotonic()
    moments = sorted(chance.uniform(0, seconds) for _ in changes)
    with connect("warehouse") as conn:
        day = business_date.get(conn)
    for change, moment in zip(changes, moments, strict=True):
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        with connect("source_owner:police") as source:
            source.execute(
                "update resident set name = %s, village_code = coalesce(%s, village_code),"
                " updated_at = %s::date + (clock_timestamp() at time zone 'Asia/Shanghai')::time"
                " where resident_id = %s",
                [change.name, change.village, day, change.resident_id],
            )
        change.committed_at = time.time()
    say(f"{len(changes)} changes committed")


def _finding(persons: int, minutes: float, changes: Sequence[Change], where: str) -> tuple[Finding, int]:
    seconds = [change.seconds for change in changes if change.seconds is not None]
    lost = len(changes) - len(seconds)
    if len(seconds) < 2:
        raise HuiliuError(f"{lost} of {len(changes)} changes never arrived", fix="see ops.micro_batch.faults")
    p95 = quantiles(seconds, n=20, method="inclusive")[-1]
    text = (
        f"{persons:,} people, {where}: {len(changes)} changes over {minutes:g} minutes, median"
        f" {median(seconds):.0f} s, greatest {max(seconds):.0f} s; {lost} not seen"
    )
    ratios = (Ratio(p95, GOAL_SECONDS, "s"), Ratio(lost, 0, "lost"))
    return Finding(ratios, text), lost


if __name__ == "__main__":
    sys.exit(main())
