"""The linkage step of a build: what was touched is scored anew, and all that it concerns decided."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass
from datetime import date

from huiliu.database import Connection
from huiliu.errors import ConfigError
from linkage import affected, decision, frames, matches, model, pairs
from linkage.decision import Thresholds
from linkage.store import PEOPLE, RECORDS, Store
from linkage.workplace import private_folder

STEP = "linkage:match"

# The logs cannot tell what was touched if a parent was built in full, and nothing is met if no keys are kept.
_STATE = """
select
    mine.build_id,
    exists (
        select from ops.model_state as parent
        where parent.model = any(%(parents)s) and parent.full_build_id > mine.build_id
    ) or not exists (select from linkage.block),
    run.model_version,
    array[run.accept, run.review, run.margin, run.cluster]
from ops.model_state as mine
left join linkage.run on mine.build_id = run.build_id
where mine.model = %(step)s
"""
_FINISH = """
insert into ops.model_state (model, build_id, as_of, full_build_id)
values (%(step)s, %(build_id)s, %(as_of)s, %(build_id)s)
on conflict (model) do update set build_id = excluded.build_id, as_of = excluded.as_of
"""
_RUN = """
insert into linkage.run (
    build_id, as_of, model_version, in_full, records, scored, decided, linked, in_review, alone, changed,
    accept, review, margin, cluster
)
values (
    %(build_id)s, %(as_of)s, %(model_version)s, %(in_full)s, %(records)s, %(scored)s, %(decided)s, %(linked)s,
    %(in_review)s, %(alone)s, %(changed)s, %(accept)s, %(review)s, %(margin)s, %(cluster)s
)
on conflict (build_id) do update set
    as_of = excluded.as_of, model_version = excluded.model_version, in_full = excluded.in_full,
    records = excluded.records, scored = excluded.scored, decided = excluded.decided,
    linked = excluded.linked, in_review = excluded.in_review, alone = excluded.alone,
    changed = excluded.changed, accept = excluded.accept, review = excluded.review,
    margin = excluded.margin, cluster = excluded.cluster
"""


@dataclass(frozen=True)
class LinkResult:
    """What a step did.

    ``scored``: records and people whose pairs were weighed anew; ``decided``: records decided anew;
    ``changed``: records whose match changed.
    """

    build_id: int
    as_of: date
    model_version: str
    in_full: bool
    records: int
    scored: int
    decided: int
    linked: int
    in_review: int
    alone: int
    changed: int

    @property
    def summary(self) -> str:
        """The step in one line of the build's log."""
        how = "all weighed" if self.in_full else f"{self.scored} weighed anew"
        return (
            f"{self.records} records without a number: {self.linked} linked, {self.in_review} in review,"
            f" {self.alone} alone; {how} by model {self.model_version}"
        )


def link(conn: Connection, build_id: int, as_of: date, full: bool = False) -> LinkResult:
    """Link the records without a number as of a date, in one transaction; in full or not, to the same rows.

    Reads what dbt logged as touched since this step's own last build. Scores everything if asked to, if there
    was none, if a parent was built in full since, or if the model is another one. Raises ConfigError if no
    thresholds are valid on the date.
    """
    current = model.load()
    with private_folder("step") as folder, conn.transaction():
        database = frames.open_database(folder)
        try:
            return _link(Store(conn, database, folder), current, build_id, as_of, full)
        finally:
            database.close()


def thresholds(conn: Connection, as_of: date) -> Thresholds:
    """Return the thresholds valid on a date; ConfigError if there are none, or they ask for too much."""
    row = conn.execute(
        "select accept, review, margin, cluster from linkage.threshold"
        " where valid_from <= %(as_of)s and (valid_to is null or valid_to > %(as_of)s)"
        " order by valid_from desc limit 1",
        {"as_of": as_of},
    ).fetchone()
    if row is None:
        raise ConfigError(
            f"linkage.threshold has no thresholds for {as_of}", fix="add a row that is valid on that date"
        )
    found = Thresholds(*row)
    if found.review - found.margin < pairs.KEEP_PEOPLE or found.cluster < pairs.KEEP_RECORDS:
        raise ConfigError(
            f"linkage.threshold of {as_of} asks for pairs that are not kept: review - margin is below"
            f" {pairs.KEEP_PEOPLE:g}, or cluster below {pairs.KEEP_RECORDS:g}",
            fix="raise the thresholds",
        )
    return found


def _link(store: Store, current: model.Model, build_id: int, as_of: date, full: bool) -> LinkResult:
    valid = thresholds(store.conn, as_of)
    since, same_thresholds = (None, False) if full else _since(store.conn, current.version, valid)
    affected.begin(store.conn, since)
    scored = (pairs.score_all if since is None else pairs.score_touched)(store, current)
    if since is not None and same_thresholds:
        affected.joined(store.conn, valid)
    else:
        affected.everybody(store.conn)
    matches.fetch(store)
    decision.decide(store.database, valid)
    changed = matches.write(store, current.version, build_id, as_of)
    affected.remember_decisions(store.conn)
    if since is None:
        store.conn.execute("select linkage.analyze_tables()")
    result = LinkResult(
        build_id,
        as_of,
        current.version,
        since is None,
        scored=scored,
        decided=store.number("select count(*) from matched"),
        changed=changed,
        **matches.counts(store.conn),
    )
    store.conn.execute(_RUN, asdict(result) | asdict(valid))
    store.conn.execute(_FINISH, {"step": STEP, "build_id": build_id, "as_of": as_of})
    return result


def _since(conn: Connection, version: str, valid: Thresholds) -> tuple[int | None, bool]:
    """Return the build since which the logs say what was touched, None if they cannot tell, and whether its
    thresholds were the ones that are valid."""
    row = conn.execute(_STATE, {"parents": [RECORDS[1], PEOPLE[1]], "step": STEP}).fetchone()
    if row is None or row[1] or row[2] != version:
        return None, False
    return int(row[0]), row[3] == list(astuple(valid))


def last_runs(conn: Connection, count: int = 10) -> list[LinkResult]:
    """Return the last steps, newest first."""
    rows = conn.execute(
        "select build_id, as_of, model_version, in_full, records, scored, decided, linked, in_review, alone,"
        " changed from linkage.run order by build_id desc limit %s",
        [count],
    )
    return [LinkResult(*row) for row in rows]
