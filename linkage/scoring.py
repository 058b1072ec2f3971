"""Scoring pairs by Splink, in chunks; a pair's score depends on its two rows and the model alone."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker
from splink.internals.splink_dataframe import SplinkDataFrame

CHUNK_ROWS = 20_000
_DIGITS = 4  # of a weight that is kept: enough to order candidates, and free of the noise of the last bits

# The best of the rows that stand for one candidate; unique_id may carry a row number behind '#'.
_KEEP = """
insert into {target}
select
    split_part(unique_id_l, '#', 1) as record_key,
    split_part(unique_id_r, '#', 1) as candidate_key,
    round(max(match_weight), {digits}) as match_weight,
    round(max(match_probability), {digits}) as match_probability,
    max_by({{{levels}}}, match_weight) as levels
from {scored}
where split_part(unique_id_l, '#', 1) <> split_part(unique_id_r, '#', 1)
group by 1, 2
"""
_COUNT = "select count(*) from {table}"
_CHUNK = "create or replace table {chunk} as from {table} where hash(unique_id) % {count} = {place}"


class Scorer:
    """Splink over tables of one DuckDB. ``frequencies``: per column of the model, a table (column,
    tf_<column>)."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        settings: Mapping[str, Any],
        left: str,
        right: str,
        frequencies: Mapping[str, str],
    ) -> None:
        """Bind a model to two tables of the same columns, or to one that is compared with itself."""
        logging.getLogger("splink").setLevel(logging.ERROR)
        self._database = database
        self._api = DuckDBAPI(database)
        self._levels = [comparison["output_column_name"] for comparison in settings["comparisons"]]
        tables = [self._table(left, "record")]
        if right != left:
            tables.append(self._table(right, "person"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.linker = Linker(tables, dict(settings), log_level=None, validate_settings=False)
        for column, table in frequencies.items():
            self.linker.table_management.register_term_frequency_lookup(self._table(table), column)

    def make_pairs(self, target: str) -> None:
        """Make an empty table of scored pairs."""
        levels = ", ".join(f"{name} integer" for name in self._levels)
        self._database.execute(
            f"create or replace table {target} (record_key varchar, candidate_key varchar,"
            f" match_weight double, match_probability double, levels struct({levels}))"
        )

    def between(self, left: str, right: str, target: str, keep: float) -> None:
        """Add the pairs of left with right rows that weigh at least ``keep``, left chunk by left chunk."""
        people = self._table(right)
        for chunk in self._chunks(left):
            scored = self.linker.inference.predict_between(
                self._table(chunk), people, threshold_match_weight=keep, warning_mode="never"
            )
            self._keep(scored, target)
            self._database.execute(f"drop table {chunk}")

    def within(self, left: str, right: str, target: str, keep: float) -> None:
        """Add the pairs among records: of each row of ``left``, part of ``right``, with each of ``right``."""
        records = self._table(right)
        for chunk in self._chunks(left):
            scored = self.linker.inference.predict_between(
                self._table(chunk),
                records,
                link_type="dedupe_only",
                threshold_match_weight=keep,
                warning_mode="never",
            )
            self._keep(scored, target)
            self._database.execute(f"drop table {chunk}")

    def _chunks(self, table: str) -> list[str]:
        [(rows,)] = self._database.execute(_COUNT.format(table=table)).fetchall()
        count = -(-int(rows) // CHUNK_ROWS)
        names = [f"{table}_chunk_{place}" for place in range(count)]
        for place, name in enumerate(names):
            self._database.execute(_CHUNK.format(chunk=name, table=table, count=count, place=place))
        return names

    def _keep(self, scored: SplinkDataFrame, target: str) -> None:
        levels = ", ".join(f"'{name}': gamma_{name}" for name in self._levels)
        self._database.execute(
            _KEEP.format(target=target, digits=_DIGITS, levels=levels, scored=scored.physical_name)
        )
        scored.drop_table_from_database_and_remove_from_cache()

    def _table(self, name: str, shown: str | None = None) -> SplinkDataFrame:
        return self._api.register(name, dataset_display_name=shown)
