"""The verb about sudden changes: which there are, and who has looked at one."""

from __future__ import annotations

from typing import Annotated

import typer

from huiliu.cli_output import Json, report, show
from huiliu.errors import ConfigError


def drift(
    acknowledge: Annotated[
        list[int] | None, typer.Option(help="An alarm that was looked at; may be given several times.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who looked at it.")] = "",
    reason: Annotated[str, typer.Option(help="What it was.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those acknowledged.")] = False,
    as_json: Json = False,
) -> None:
    """Show what changed all of a sudden in batches and tables, or acknowledge one alarm."""
    from soda_checks.profiles import review as profile_review

    if acknowledge:
        profile_review.acknowledge(acknowledge, by=by, reason=reason)
        typer.echo(f"acknowledged: {', '.join(map(str, acknowledge))}")
        return
    if by or reason:
        raise ConfigError(
            "--by and --reason belong to --acknowledge", fix="name the alarm with --acknowledge ID"
        )
    found = profile_review.alarms(every=every)
    columns = ["alarm_id", "batch_id", "table_name", "reason", "raised_at", "acknowledged_by"]
    report(found, as_json, lambda: show(found, columns, f"{len(found)} alarms"))
