"""Linkage of a described city without a warehouse, for measuring it against the truth."""

from __future__ import annotations

from pathlib import Path

import duckdb

from linkage import frames, matches, model, pairs
from tests.linkage.described import DescribedCity

_TYPED = "create table {table} as select {typed} from rows_of_city"
_KEPT = """
create table kept_pair as
select record_key, candidate_key, candidate_is_person, match_weight, match_probability, levels.number,
    levels.name, levels.sex, levels.birth
from (
    select *, true as candidate_is_person from person_pair
    union all
    select *, false as candidate_is_person from record_pair
);
create table decided (
    record_key varchar, candidate_key varchar, decision varchar, candidate_is_person boolean, is_stale boolean
);
create table people as select identifier_key from described_person;
"""


def weighed(city: DescribedCity, folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB with all that decision.decide reads, and the truth for evaluation.measure."""
    database = frames.open_database(folder)
    for table, rows, columns in (
        ("described_record", city.records, frames.RECORD_COLUMNS),
        ("described_person", city.people, frames.PERSON_COLUMNS),
    ):
        database.register("rows_of_city", rows)
        typed = ", ".join(f"{name}::{kind} as {name}" for name, kind in columns.items())
        database.execute(_TYPED.format(table=table, typed=typed))
        database.unregister("rows_of_city")
    truth = city.truth.rename_axis("record_key").rename("person_key").reset_index()
    database.register("rows_of_truth", truth)
    database.execute("create table truth as from rows_of_truth")
    frames.make_records(database, "described_record", "record")
    frames.make_people(database, "described_person", "person")
    pairs.weigh_everybody(database, model.load())
    database.execute(_KEPT)
    matches.prepare(database)
    return database
