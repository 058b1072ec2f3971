"""The weighed pairs: which are scored anew, and how they get to linkage.pair."""

from __future__ import annotations

import duckdb
from psycopg import sql

from linkage import blocks
from linkage.model import Model
from linkage.scoring import Scorer
from linkage.store import Store

# Pairs below are forgotten: no threshold may ask for more than these (run.py checks).
KEEP_PEOPLE, KEEP_RECORDS = -6.0, 4.0

# A death or a marriage says what cannot be: living on after one's death, or a party not yet of age.
_POSSIBLE = """
create or replace table person_pair as
select person_pair.*
from person_pair
left join record on person_pair.record_key = record.identifier_key
left join (select distinct identifier_key, died_on, birth_date from person) as person
    on person_pair.candidate_key = person.identifier_key
where not coalesce(record.lived_on > person.died_on + 60, false)
    and not coalesce(year(person.birth_date) > record.born_by, false)
"""
_FREQUENCIES = """
create or replace table {table} as
select name as {column}, frequency as tf_{column} from read_parquet('{file}')
"""
# A pair of two records was looked at from both sides, with the same result.
_OF_RECORDS = """
create or replace table record_pair as
select
    least(record_key, candidate_key) as record_key,
    greatest(record_key, candidate_key) as candidate_key,
    max(match_weight) as match_weight,
    max(match_probability) as match_probability,
    max(levels) as levels
from record_pair_both
group by least(record_key, candidate_key), greatest(record_key, candidate_key)
"""
_SENT = """
select
    record_key, candidate_key, is_person, '{version}', match_weight, match_probability, to_json(levels)
from (
    select *, true as is_person from person_pair
    union all
    select *, false as is_person from record_pair
)
"""
_COLUMNS = {
    "record_key": "uuid", "candidate_key": "uuid", "candidate_is_person": "boolean", "model_version": "text",
    "match_weight": "double precision", "match_probability": "double precision", "levels": "jsonb",
}  # fmt: skip
# Whoever loses or gains a pair is decided anew.
_DECIDE = """
insert into to_decide
select record_key from changed
union
select candidate_key from changed where not candidate_is_person
on conflict do nothing
"""
_DELETE = """
with changed as (
    delete from linkage.pair
    where (
            {in_full}
            or record_key in (select key from touched_any)
            or candidate_key in (select key from touched_any)
        )
        and not exists (
            select from new_pair
            where new_pair.record_key = pair.record_key and new_pair.candidate_key = pair.candidate_key
                and (
                    new_pair.candidate_is_person, new_pair.model_version, new_pair.match_weight,
                    new_pair.levels
                ) = (pair.candidate_is_person, pair.model_version, pair.match_weight, pair.levels)
        )
    returning record_key, candidate_key, candidate_is_person
)
"""
_INSERT = """
with changed as (
    insert into linkage.pair select * from new_pair on conflict (record_key, candidate_key) do nothing
    returning record_key, candidate_key, candidate_is_person
)
"""
_TOUCHED = """
create or replace table touched_record as
from record where identifier_key in (select key from touched_record_key);
create or replace table other_record as
from record where identifier_key not in (select key from touched_record_key);
create or replace table touched_people as
from person where identifier_key in (select key from touched_person_key)
"""


def score_all(store: Store, model: Model) -> int:
    """Score every record with everybody; return how many records and people were looked at."""
    store.compare_records()
    store.compare_people()
    blocks.keep_all(store)
    weigh_everybody(store.database, model)
    _write(store, model, in_full=True)
    return store.number(
        "select (select count(*) from described_record) + (select count(*) from described_person)"
    )


def weigh_everybody(database: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Make person_pair and record_pair of all rows of the tables record and person."""
    scorer = _scorer(database, model)
    scorer.between("record", "person", "person_pair", KEEP_PEOPLE)
    scorer.within("record", "record", "record_pair_both", KEEP_RECORDS)
    _settle(database)


def score_touched(store: Store, model: Model) -> int:
    """Score the pairs of the keys in ``touched_record`` and ``touched_person``; return how many keys.

    A pair's score depends on its two rows and the model alone, so that no other pair can have changed.
    """
    blocks.find_met(store, model)
    store.compare_records("wanted_record")
    store.compare_people("wanted_person")
    for table in ("touched_record", "touched_person"):
        keys = sql.SQL("select key from {}").format(sql.Identifier(table))
        store.fetch(keys, f"{table}_key", {"key": "varchar"})
    store.database.execute(_TOUCHED)
    scorer = _scorer(store.database, model)
    scorer.between("touched_record", "person", "person_pair", KEEP_PEOPLE)
    scorer.between("other_record", "touched_people", "person_pair", KEEP_PEOPLE)
    scorer.within("touched_record", "record", "record_pair_both", KEEP_RECORDS)
    _settle(store.database)
    _write(store, model, in_full=False)
    return store.number(
        "select count(*) from (from touched_record_key union select key from touched_person_key)"
    )


def _scorer(database: duckdb.DuckDBPyConnection, model: Model) -> Scorer:
    frequencies = {"name": "frequency_of_name", "spouse_name": "frequency_of_spouse_name"}
    for column, table in frequencies.items():
        database.execute(_FREQUENCIES.format(table=table, column=column, file=model.frequencies))
    scorer = Scorer(database, model.settings, "record", "person", frequencies)
    scorer.make_pairs("person_pair")
    scorer.make_pairs("record_pair_both")
    return scorer


def _settle(database: duckdb.DuckDBPyConnection) -> None:
    """Drop what cannot be, and the second half of pairs that were looked at from both sides."""
    database.execute(_POSSIBLE)
    database.execute(_OF_RECORDS)


def _write(store: Store, model: Model, *, in_full: bool) -> None:
    """Bring linkage.pair to what was scored, writing only what differs, and note whom that concerns."""
    store.send(_SENT.format(version=model.version), "new_pair", _COLUMNS)
    store.conn.execute(_DELETE.format(in_full="true" if in_full else "false") + _DECIDE)
    store.conn.execute(_INSERT + _DECIDE)
