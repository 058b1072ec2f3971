"""A full load with dlt, run by the interpreter of .venv-bench. Connection strings come in the environment.

BENCH_SOURCE and BENCH_TARGET are SQLAlchemy URLs; BENCH_NATIVE is connectorx's own form of the source's.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
from dlt.destinations import postgres
from dlt.sources.sql_database import sql_table


def main() -> None:
    """Load the table `wide`; write the seconds that took, imports apart."""
    backend = sys.argv[1]
    native = {"conn": os.environ["BENCH_NATIVE"]} if backend == "connectorx" else {}
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=folder,
            destination=postgres(os.environ["BENCH_TARGET"]),
            dataset_name="bench_dlt",
        )
        begun = time.perf_counter()
        table = sql_table(
            os.environ["BENCH_SOURCE"],
            table="wide",
            backend=backend,
            backend_kwargs=native,
            chunk_size=100_000,
        )
        # Arrow tables written as CSV and loaded with COPY: dlt's fastest way into PostgreSQL.
        pipeline.run(table, write_disposition="replace", loader_file_format="csv")
        seconds = time.perf_counter() - begun
        with pipeline.sql_client() as client:
            ((rows,),) = client.execute_sql("select count(*) from wide") or [(0,)]
    sys.stdout.write(f"\n{rows} {seconds}\n")


if __name__ == "__main__":
    main()
