"""What is written to `quality`: results, failing rows, scores; in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from psycopg import sql

from huiliu.database import Connection
from huiliu.settings import get_settings
from soda_checks.contract import USABLE
from soda_checks.relations import SESSION
from soda_checks.scan import Attempt, shown_columns
from soda_checks.scoring import Score
from soda_checks.verify import TableOutcome

FAILED_ROWS_KEPT = 1000
"""Failing rows kept of one check in one batch; the true number is in `quality.check_result`."""


def begin_run(connection: Connection, stage: str, business_date: date, batch_id: int | None = None) -> int:
    """Note that a run starts (again) and return its batch id; a batch tested again keeps its first day."""
    if batch_id is None:
        connection.execute(
            "update quality.score_run set status = 'failed', finished_at = clock_timestamp()"
            " where stage = %s and status = 'running'",
            (stage,),
        )
        (batch_id,) = connection.execute("select nextval('ops.batch_id_seq')").fetchone() or (0,)
    connection.execute(
        """
        insert into quality.score_run (batch_id, stage, business_date, status) values (%s, %s, %s, 'running')
        on conflict (batch_id) do update
        set started_at = clock_timestamp(), finished_at = null, status = 'running'
        """,
        (batch_id, stage, business_date),
    )
    return batch_id


def end_run(connection: Connection, batch_id: int, status: str) -> None:
    """Note how a run ended."""
    connection.execute(
        "update quality.score_run set status = %s, finished_at = clock_timestamp() where batch_id = %s",
        (status, batch_id),
    )


def note_quarantined(connection: Connection, batch_id: int, table_name: str, unusable: int | None) -> None:
    """Add a batch's rows that cannot be used to those its load rejected, the first time they are counted.

    Goes before `write_results` in the same transaction: an earlier count in `check_result` says it was done.
    """
    if unusable is None:
        return
    connection.execute(
        """
        update ops.load_run set rows_quarantined = coalesce(rows_quarantined, 0) + %(unusable)s
        where batch_id = %(batch_id)s and not exists (
            select from quality.check_result as counted
            where counted.batch_id = %(batch_id)s and counted.table_name = %(table_name)s
                and counted.qualifier = %(qualifier)s and counted.failed is not null
        )
        """,
        {
            "batch_id": batch_id,
            "table_name": table_name,
            "qualifier": USABLE,
            "unusable": unusable,
        },
    )


def write_results(connection: Connection, batch_id: int, outcome: TableOutcome) -> None:
    """Replace a table's results and failing rows of this batch."""
    name = outcome.contract.table_name
    for statement in (
        "delete from quality.check_result where batch_id = %s and table_name = %s",
        "delete from quality.failed_row where batch_id = %s and table_name = %s",
    ):
        connection.execute(statement, (batch_id, name))
    meta = outcome.contract.huiliu
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.check_result (
                batch_id, rule_id, dimension, layer, table_name, column_name, qualifier, blocking, weight,
                source, department, tested, failed, outcome, message
            ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    batch_id, check.attributes.rule_id, check.dimension, outcome.contract.layer, name,
                    check.bound.column, check.bound.check.qualifier, check.attributes.blocking,
                    check.attributes.weight, meta.source, check.attributes.department, check.tested,
                    check.failed, check.outcome, check.message,
                )
                for check in outcome.checks
            ],
        )  # fmt: skip
    find_failing(connection, outcome)
    connection.execute(
        """
        insert into quality.failed_row (batch_id, rule_id, table_name, row_key, column_name, value)
        select %(batch_id)s, rule_id, %(table_name)s, row_key, column_name, value
        from (
            select *, row_number() over (partition by rule_id, column_name order by row_key) as number
            from pg_temp.failing
        ) as numbered
        where number <= %(kept)s
        """,
        {"batch_id": batch_id, "table_name": name, "kept": FAILED_ROWS_KEPT},
    )


def find_failing(connection: Connection, outcome: TableOutcome) -> None:
    """Put a table's failing rows into `pg_temp.failing` (rule, column, key, masked value)."""
    connection.execute(
        """
        drop table if exists pg_temp.failing;
        create temporary table failing (
            rule_id text not null, column_name text not null, row_key text not null, value text
        )
        """
    )
    judged = outcome.judged
    failing = [it for it in judged.attempts if outcome.checks[it.place].failed]
    if judged.table is None or not failing:
        return
    connection.execute(
        sql.SQL(
            """
            insert into pg_temp.failing
            select distinct tried.rule_id, tried.column_name, judged.row_key, tried.value
            from {judged} as judged
            cross join lateral (values {failing}) as tried (rule_id, column_name, value, failed)
            where judged.row_key is not null and tried.failed;
            analyze pg_temp.failing
            """
        ).format(
            judged=sql.Identifier(SESSION, judged.table),
            failing=sql.SQL(", ").join(_failing(it, shown_columns(judged.attempts)) for it in failing),
        )
    )


def _failing(attempt: Attempt, shown: Sequence[str]) -> sql.Composed:
    value: sql.Composable = sql.SQL("null::text")
    if attempt.shown:
        value = sql.SQL("judged.shown[{}]").format(sql.Literal(shown.index(attempt.shown) + 1))
    if attempt.groups is None:
        # What is said of a group is our own wording, what a row holds is someone's.
        value = sql.SQL("quality.mask_value({})").format(value)
    return sql.SQL("({rule_id}, {column}, {value}, {failed})").format(
        rule_id=sql.Literal(attempt.bound.check.attributes.rule_id),
        column=sql.Literal(attempt.bound.column),
        value=value,
        failed=attempt.has_failed,
    )


def prune(connection: Connection, today: date) -> None:
    """Forget results and failing rows older than the settings say, runs of one batch together.

    What stays: batches that are held, and those whose rows open corrections are about.
    """
    settings = get_settings()
    for table, days in (
        ("check_result", settings.results_kept_days),
        ("score", settings.results_kept_days),
        ("failed_row", settings.failed_rows_kept_days),
    ):
        connection.execute(
            sql.SQL(
                """
                delete from {table} where batch_id in (
                    select run.batch_id from quality.score_run as run
                    where run.business_date < %s and run.batch_id >= (select min(batch_id) from {table})
                        and run.batch_id not in (select batch_id from ops.batch_gate where status = 'held')
                        and run.batch_id not in (
                            select batch_id from quality.correction
                            where closed_at is null and batch_id is not null
                        )
                )
                """
            ).format(table=sql.Identifier("quality", table)),
            (today - timedelta(days=days),),
        )


def write_scores(connection: Connection, batch_id: int, scores: Iterable[Score]) -> None:
    """Replace the scores of this batch."""
    connection.execute("delete from quality.score where batch_id = %s", (batch_id,))
    with (
        connection.cursor() as cursor,
        cursor.copy("copy quality.score (batch_id, level, name, dimension, score) from stdin") as copy,
    ):
        for score in scores:
            copy.write_row((batch_id, score.level, score.name, score.dimension, score.score))
