"""The linkage step of a build: touched records and people are scored anew, then all records are decided."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from psycopg import sql

from huiliu.database import Connection
from huiliu.errors import ConfigError
from linkage import decision, frames, matches, model, pairs
from linkage.decision import Thresholds
from linkage.store import PEOPLE, RECORDS, Store

STEP = "linkage:match"
KEY_NAME = "identifier_key"

_STATE = """
select
    mine.build_id,
    exists (
        select from ops.model_state as parent
        where parent.model = any(%(parents)s) and parent.full_build_id > mine.build_id
    ),
    (select model_version from linkage.run where run.build_id = mine.build_id)
from ops.model_state as mine
where mine.model = %(step)s
"""
_TOUCHED = """
select distinct key from ops.touched_key
where model = {model} and key_name = {key_name} and build_id > {since}
"""
_FINISH = """
insert into ops.model_state (model, build_id, as_of, full_build_id)
values (%(step)s, %(build_id)s, %(as_of)s, %(build_id)s)
on conflict (model) do update set build_id = excluded.build_id, as_of = excluded.as_of
"""
_RUN = """
insert into linkage.run (
    build_id, as_of, model_version, in_full, records, scored, linked, in_review, alone, changed
)
values (
    %(build_id)s, %(as_of)s, %(model_version)s, %(in_full)s, %(records)s, %(scored)s, %(linked)s,
    %(in_review)s, %(alone)s, %(changed)s
)
on conflict (build_id) do update set
    as_of = excluded.as_of, model_version = excluded.model_version, in_full = excluded.in_full,
    records = excluded.records, scored = excluded.scored, linked = excluded.linked,
    in_review = excluded.in_review, alone = excluded.alone, changed = excluded.changed
"""


@dataclass(frozen=True)
class LinkResult:
    """What a step did.

    ``scored``: records and people whose pairs were weighed anew; ``changed``: records whose match changed.
    """

    build_id: int
    as_of: date
    model_version: str
    in_full: bool
    records: int
    scored: int
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
    with tempfile.TemporaryDirectory(prefix="huiliu-linkage-") as folder, conn.transaction():
        database = frames.open_database(Path(folder))
        try:
            return _link(Store(conn, database, Path(folder)), current, build_id, as_of, full)
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
    since = None if full else _since(store.conn, current.version)
    if since is None:
        scored = pairs.score_all(store, current)
    else:
        for table, parent in (("touched_record_key", RECORDS), ("touched_person", PEOPLE)):
            query = sql.SQL(_TOUCHED).format(
                model=sql.Literal(parent[1]), key_name=sql.Literal(KEY_NAME), since=sql.Literal(since)
            )
            store.fetch(query, table, {"key": "varchar"})
        scored = pairs.score_touched(store, current)
    matches.fetch(store)
    decision.decide(store.database, valid)
    changed = matches.write(store, current.version, build_id, as_of)
    result = LinkResult(
        build_id,
        as_of,
        current.version,
        since is None,
        scored=scored,
        changed=changed,
        **matches.counts(store),
    )
    store.conn.execute(_RUN, asdict(result))
    store.conn.execute(_FINISH, {"step": STEP, "build_id": build_id, "as_of": as_of})
    return result


def _since(conn: Connection, version: str) -> int | None:
    """Return the build since which the logs say what was touched; None if they cannot tell."""
    row = conn.execute(_STATE, {"parents": [RECORDS[1], PEOPLE[1]], "step": STEP}).fetchone()
    if row is None or row[1] or row[2] != version:
        return None
    return int(row[0])


def last_runs(conn: Connection, count: int = 10) -> list[LinkResult]:
    """Return the last steps, newest first."""
    rows = conn.execute(
        "select build_id, as_of, model_version, in_full, records, scored, linked, in_review, alone, changed"
        " from linkage.run order by build_id desc limit %s",
        [count],
    )
    return [LinkResult(*row) for row in rows]
