"""Training a version: u from random pairs, m by expectation maximisation or from known pairs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from huiliu.database import Connection
from linkage import frames, model, settings
from linkage.store import Store
from linkage.workplace import private_folder

SEED = 20260115
RANDOM_PAIRS = 5_000_000
# What training hardly saw is rare, not impossible: one strange value alone must not outweigh all else.
_LEAST_M = 0.001
_LEAST_U = 0.000001
_SESSIONS = (
    # What blocks a session is not trained by it; together they train every comparison.
    "l.birth_date = r.birth_date and l.sex = r.sex",
    "l.name_folded = r.name_folded and l.spouse_folded = r.spouse_folded",
    "l.name_folded = r.name_folded and l.birth_year = r.birth_year",
)
# Of the rows that stand for a person the one that says most like the record: the same name, the same spouse.
_LABELS = """
create or replace table labelled_pair as
select
    'record' as source_dataset_l,
    known.record_key as unique_id_l,
    'person' as source_dataset_r,
    min_by(
        person.unique_id,
        (person.name is distinct from record.name, person.spouse_name is distinct from record.spouse_name,
        person.unique_id)
    ) as unique_id_r
from {labels} as known
inner join {people} as person on known.candidate_key = person.identifier_key
inner join {records} as record on known.record_key = record.identifier_key
group by known.record_key, known.candidate_key
"""
_READ_LABELS = """
create or replace table label as
select record_key, candidate_key
from read_csv(?, header = true, columns = {'record_key': 'varchar', 'candidate_key': 'varchar'})
"""
_COUNT = "select count(distinct identifier_key) from {people}"
_FREQUENCIES = """
copy (
    select name, count(*) / sum(count(*)) over () as frequency
    from (select name, identifier_key from {people} group by all)
    group by name
    having count(*) > 1
    order by frequency desc, name
) to '{path}' (format parquet, compression zstd)
"""


def train(
    database: duckdb.DuckDBPyConnection,
    version: str,
    *,
    records: str = "record",
    people: str = "person",
    labels: str | None = None,
    folder: Path = model.FOLDER,
) -> model.Model:
    """Train and freeze a version on tables of compared records and people.

    ``labels`` names a table (record_key, candidate_key) of pairs known to be true. ConfigError if the
        version exists.
    """
    settings_file, frequencies = model.new_files(version, folder)
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(database)
    tables = [
        api.register(records, dataset_display_name="record"),
        api.register(people, dataset_display_name="person"),
    ]
    # Without a level of its own, which would take back that of the line above.
    linker = Linker(
        tables,
        settings.untrained() | {"probability_two_random_records_match": _prior(database, people)},
        log_level=None,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    if labels:
        database.execute(_LABELS.format(labels=labels, people=people, records=records))
        linker.training.estimate_m_from_pairwise_labels(  # type: ignore[no-untyped-call]  # Splink leaves it untyped
            api.register("labelled_pair")
        )
    else:
        for session in _SESSIONS:
            linker.training.estimate_parameters_using_expectation_maximisation(
                session, fix_probability_two_random_records_match=False
            )
    trained = linker.misc.save_model_to_json()
    settings_file.write_text(
        json.dumps(_rounded(trained), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    database.execute(_FREQUENCIES.format(people=people, path=frequencies))
    return model.load(version, folder)


def _prior(database: duckdb.DuckDBPyConnection, people: str) -> float:
    """Return the chance that a record and a person are one: a record is about one of all people."""
    [(count,)] = database.execute(_COUNT.format(people=people)).fetchall()
    return 1 / max(int(count), 2)


def _rounded(trained: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with every probability at six digits; what was not seen keeps what is assumed of
    it."""
    for comparison, assumed in zip(trained["comparisons"], settings.untrained()["comparisons"], strict=True):
        for level, before in zip(comparison["comparison_levels"], assumed["comparison_levels"], strict=True):
            if not level.get("is_null_level"):
                level["m_probability"] = _probability(level, before, "m_probability", _LEAST_M)
                level["u_probability"] = _probability(level, before, "u_probability", _LEAST_U)
    return trained


def _probability(level: dict[str, Any], assumed: dict[str, Any], kind: str, least: float) -> float:
    return max(round(float(level.get(kind, assumed.get(kind, 0.0))), 6), least)


def train_on_warehouse(conn: Connection, version: str, labels: Path | None = None) -> model.Model:
    """Train a version on the warehouse's records and people, from known pairs (a CSV with the header
    record_key, candidate_key) if there are any.
    """
    with private_folder("training") as folder:
        database = frames.open_database(folder)
        store = Store(conn, database, folder)
        store.compare_records()
        store.compare_people()
        if labels:
            database.execute(_READ_LABELS, [str(labels)])
        return train(database, version, labels="label" if labels else None)
