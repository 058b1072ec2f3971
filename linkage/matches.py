"""What the decision rule reads beside the scores, and how its result gets to linkage.match, with a trace."""

from __future__ import annotations

from datetime import date

import duckdb
from psycopg import sql

from huiliu.database import Connection
from linkage import settings
from linkage.store import Store, subjects

# Of the records to decide; a pair of two records stands under one of them.
_PAIRS = sql.SQL("""
select record_key, candidate_key, candidate_is_person, match_weight, match_probability,
    (levels ->> 'number')::integer, (levels ->> 'name')::integer, (levels ->> 'sex')::integer,
    (levels ->> 'birth')::integer
from linkage.pair
where record_key in (select key from to_decide)
""")
_PAIR_COLUMNS = {
    "record_key": "varchar", "candidate_key": "varchar", "candidate_is_person": "boolean", "match_weight":
        "double",
    "match_probability": "double", "number": "integer", "name": "integer", "sex": "integer", "birth":
        "integer",
}  # fmt: skip
_DECISIONS = sql.SQL("""
select decision.record_key, decision.candidate_key, decision.decision, candidate.is_person,
    coalesce(decision.seen <> record.content || candidate.content, false)
from linkage.decision
inner join ({subjects}) as record on decision.record_key = record.identifier_key and not record.is_person
inner join ({subjects}) as candidate on decision.candidate_key = candidate.identifier_key
where decision.record_key in (select key from to_decide)
""")
_REPAIRING = """
create or replace table pair as
select *, candidate_is_person and ({repairs}) as repairs from kept_pair
"""
# The two parties of one record name each other: they are a couple, and not one person.
_FACTS = """
create or replace table fact as
select
    identifier_key,
    sex,
    birth_date,
    coalesce(birth_year, year(birth_date)) as birth_year,
    couple_of(source, event_on, name, relative_name) as couple,
    coalesce(name, '') as party
from described_record
"""
_MATCH_COLUMNS = {
    "identifier_key": "uuid", "person_key": "uuid", "status": "text", "method": "text",
    "match_weight": "double precision", "match_probability": "double precision", "model_version": "text",
    "candidates": "integer", "contradicted": "boolean",
}  # fmt: skip
_RESULT = """
select identifier_key, person_key, status, method, match_weight, match_probability, '{version}', candidates,
    contradicted
from matched
"""
_CHANGED = """
create temporary table changed_match on commit drop as
select
    coalesce(old.identifier_key, new.identifier_key) as identifier_key,
    old.person_key as old_person_key,
    new.person_key as new_person_key,
    old.status as old_status,
    new.status as new_status
from (select * from linkage.match where identifier_key in (select key from to_decide)) as old
full join new_match as new on old.identifier_key = new.identifier_key
where (
    old.person_key, old.status, old.method, old.match_weight, old.match_probability, old.model_version,
        old.candidates, old.contradicted
) is distinct from (
    new.person_key, new.status, new.method, new.match_weight, new.match_probability, new.model_version,
        new.candidates, new.contradicted
)
"""
_TRACE = """
insert into linkage.key_change (identifier_key, old_person_key, new_person_key, build_id, changed_on, reason)
select identifier_key, old_person_key, new_person_key, %(build_id)s, %(as_of)s,
    case
        when old_person_key = identifier_key then 'merged'
        when new_person_key = identifier_key then 'split'
        else 'moved'
    end
from changed_match
where old_person_key <> new_person_key
"""
_LOG = """
insert into ops.touched_key (model, build_id, key_name, key)
select 'linkage:match', %(build_id)s, 'identifier_key', identifier_key::text from changed_match
on conflict do nothing
"""
_COUNTS = """
select
    count(*), count(*) filter (where status = 'linked'), count(*) filter (where status = 'review'),
    count(*) filter (where status = 'alone')
from linkage.match
"""


def fetch(store: Store) -> None:
    """Make the tables of which linkage.decision decides, of the records to decide: fact, pair, decided."""
    store.describe_records("to_decide")
    store.fetch(_PAIRS, "kept_pair", _PAIR_COLUMNS)
    store.fetch(
        _DECISIONS.format(subjects=subjects()),
        "decided",
        {
            "record_key": "varchar",
            "candidate_key": "varchar",
            "decision": "varchar",
            "candidate_is_person": "boolean",
            "is_stale": "boolean",
        },
    )
    prepare(store.database)


def prepare(database: duckdb.DuckDBPyConnection) -> None:
    """Make pair from kept_pair, and fact from described_record."""
    database.execute(_REPAIRING.format(repairs=settings.REPAIRS))
    database.execute(_FACTS)


def write(store: Store, version: str, build_id: int, as_of: date) -> int:
    """Bring linkage.match to the table ``matched``; log and trace what changed; return how many rows did."""
    store.send(
        _RESULT.format(version=version),
        "new_match",
        _MATCH_COLUMNS,
    )
    values = {"build_id": build_id, "as_of": as_of}
    conn = store.conn
    conn.execute(_CHANGED)
    conn.execute(_TRACE, values)
    changed = conn.execute(_LOG, values).rowcount
    conn.execute(
        "delete from linkage.match where identifier_key in (select identifier_key from changed_match)"
    )
    conn.execute(
        "insert into linkage.match select * from new_match"
        " where identifier_key in (select identifier_key from changed_match)"
    )
    return changed


def counts(conn: Connection) -> dict[str, int]:
    """Return how many records there are, and of each status."""
    row = conn.execute(_COUNTS).fetchone() or (0, 0, 0, 0)
    return dict(zip(("records", "linked", "in_review", "alone"), row, strict=True))
