"""The verbs about corrections: what is open with whom, sending the lists, and what is let off for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer

from huiliu.cli_output import Json, report, say, show


def corrections(
    department: Annotated[str | None, typer.Option(help="One department's corrections.")] = None,
    state: Annotated[
        Literal["open", "overdue", "escalated"] | None, typer.Option(help="Only those; default: open.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how each department stands; with --department or --state the corrections themselves."""
    from soda_checks.corrections.overview import SHOWN, by_department, of_department

    if department is None and state is None:
        found = by_department()
        columns = ["department", "open", "overdue", "level_1", "level_2", "level_3", "next_due_on"]
        report(found, as_json, lambda: show(found, [*columns, "last_sent_on"], "corrections"))
        return
    listed = of_department(department, state or "open")
    columns = ["correction_id", "table_name", "record_key", "rule_id", "column_name", "problem", "value"]
    title = f"{len(listed)} corrections" + (" (more in the department's file)" * (len(listed) == SHOWN))
    report(listed, as_json, lambda: show(listed, [*columns, "due_on", "status", "urged"], title))


def send_corrections(as_json: Json = False) -> None:
    """Send each department its list: files, the front-end table, a receipt."""
    from soda_checks.corrections.lists import raise_failures, send_lists

    sent = send_lists()
    columns = ["department", "rows", "open", "overdue", "urged", "rows_upserted", "rows_deleted", "error"]
    report(sent, as_json, lambda: show(sent, columns, "correction lists (files: outbox/corrections)"))
    raise_failures(sent)


def suppress(
    table: Annotated[str, typer.Argument(help="Table, like staging.stg_police__resident.")],
    rule: Annotated[str, typer.Argument(help="Rule, like A01.")],
    reason: Annotated[str, typer.Option(help="Why it is let off.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day; within a year.")],
    column: Annotated[str | None, typer.Option(help="Only that column.")] = None,
    row: Annotated[str | None, typer.Option(help="Only that row: row_key of quality.correction.")] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; default: today.")
    ] = None,
) -> None:
    """Let a failing rule off for a while: no corrections, scores as they are. Holds from the next scoring."""
    from soda_checks.corrections.suppressions import Asked
    from soda_checks.corrections.suppressions import suppress as write_down

    asked = Asked(table, rule, column, row, reason, by, until.date(), first.date() if first else None)
    typer.echo(f"suppression {write_down(asked)}")


def suppressions(
    withdraw: Annotated[int | None, typer.Option(help="End this one before its time.")] = None,
    by: Annotated[str, typer.Option(help="Who withdraws it.")] = "",
    as_json: Json = False,
) -> None:
    """Show what is let off, by whom, why, until when and how often it was used; or withdraw one."""
    from soda_checks.corrections.suppressions import all_suppressions
    from soda_checks.corrections.suppressions import withdraw as end

    if withdraw is not None:
        end(withdraw, by=by)
        say(f"suppression {withdraw} is withdrawn; what still fails gets a correction at the next scoring")
    found = all_suppressions()
    columns = ["suppression_id", "table_name", "rule_id", "column_name", "row_key", "reason", "by_name"]
    more = ["from_date", "until_date", "state", "scorings", "rows_last_time"]
    report(found, as_json, lambda: show(found, [*columns, *more], "suppressions"))
