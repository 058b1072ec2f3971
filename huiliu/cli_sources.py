"""The verbs about sources: load or check them, what is late, and what was asked of whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from huiliu.cli_output import Json, report, say, show

if TYPE_CHECKING:
    from ingestion.probing import Probe
    from ingestion.records import Days


def ingest(
    sources: Annotated[list[str] | None, typer.Argument(help="Default: every source.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Validate every spec and reach every source; load nothing.")
    ] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="The department says a mass deletion is true.")
    ] = False,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Back-fill: first day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Back-fill: last day.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pull sources into the raw layer, or check that they could be."""
    if check:
        _check(sources or None, as_json)
        return
    from ingestion.run import ingest as load

    loads = load(sources or None, accept_deletions=accept_deletions, days=_days(first, last))
    columns = ["source", "table_name", "status", "rows_read", "rows_inserted", "rows_updated", "rows_deleted"]
    report(loads, as_json, lambda: show(list(loads), columns, "loads"))


def _days(first: datetime | None, last: datetime | None) -> Days | None:
    from ingestion.records import Days

    if first is None and last is None:
        return None
    if first is None or last is None:
        raise typer.BadParameter("a back-fill needs both --from and --to")
    return Days(first.date(), last.date())


def _check(sources: list[str] | None, as_json: bool) -> None:
    from ingestion import demands, probing

    probes = probing.probe_sources(sources)
    report(probes, as_json, lambda: _show_probes(probes))
    lists = demands.load_lists()
    # Last: what was found is worth seeing also without a warehouse to write it down in.
    probing.record(probes)
    demands.settle(lists)
    if not all(probe.passed for probe in probes):
        raise typer.Exit(1)


def _show_probes(probes: list[Probe]) -> None:
    lines = [
        {
            "source": probe.source,
            "table": probe.table_name,
            "": "ok" if probe.passed else "FAILED",
            "found / what is wrong": probe.found if probe.passed else probe.error,
            "what to do": probe.fix,
        }
        for probe in probes
    ]
    failed = sum(not probe.passed for probe in probes)
    show(lines, list(lines[0]), f"{len(probes)} tables probed, {failed} failed")


def tasks(
    state: Annotated[str | None, typer.Option(help="Only those: open, overdue, closed or withdrawn.")] = None,
    as_json: Json = False,
) -> None:
    """Show the tasks of the demand lists; accepted loads are struck off first."""
    from ingestion import demands

    found = [task for task in demands.settle() if state in (None, task.state)]
    columns = ["list", "item", "what", "lead_department", "from_department", "resource_id", "due_on", "state"]
    report(found, as_json, lambda: show(found, [*columns, "closed_by_batch"], f"{len(found)} tasks"))


def late(as_json: Json = False) -> None:
    """Show which sources are late by the business date; exit code 1 if any is."""
    from huiliu.database import connect
    from ingestion.watching import late_sources

    with connect("warehouse:watch") as conn:
        found = late_sources(conn)
    columns = ["source", "department", "cadence", "state", "landed_on", "missed_on", "days_late"]
    report(found, as_json, lambda: show(found, columns, "sources"))
    behind = [row["source"] for row in found if row["state"] == "late"]
    if behind:
        say(", ".join(behind), "late")
        raise typer.Exit(1)
