"""The verbs about people without a number: train the model, let people decide, see what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huiliu.cli_output import Json, report, say, show

app = typer.Typer(no_args_is_help=True, help="Records without an ID number and the people they are of.")

BUILD, DECIDE = "warehouse:build", "warehouse:decide"


@app.command("train")
def train(
    version: Annotated[str, typer.Argument(help="Name of the new version, like person_v2.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with record_key, candidate_key of true pairs; default: learn without."),
    ] = None,
) -> None:
    """Train a new version of the model on the warehouse as it is, frozen as files in linkage/models."""
    from huiliu.database import connect
    from linkage.training import train_on_warehouse

    with connect(BUILD) as conn:
        made = train_on_warehouse(conn, version, labels)
    say(f"{made.version} is trained: {made.frequencies.parent}/{made.version}*")
    say(
        "next: compare its curve with that of the current version (docs/linkage.md); if it is better, set"
        " CURRENT in linkage/model.py: the next build weighs everybody again"
    )


@app.command("export-review")
def export_review(file: Annotated[Path, typer.Argument(help="The workbook to write.")]) -> None:
    """Write the records that wait for people, with their best candidates, to a workbook."""
    from huiliu.database import connect
    from linkage.review import export

    with connect(DECIDE) as conn:
        say(f"{export(conn, file)} pairs to decide in {file}")


@app.command("read-decisions")
def read_decisions(file: Annotated[Path, typer.Argument(help="The workbook with decisions.")]) -> None:
    """Take over what people decided; it holds from the next build on."""
    from huiliu import business_date
    from huiliu.database import connect
    from linkage.review import read

    with connect(DECIDE) as conn:
        taken = read(conn, file, business_date.get(conn))
    say(f"{taken} decisions taken over; they hold from the next build on")


@app.command("report")
def report_runs(as_json: Json = False) -> None:
    """Show the last linkage steps: how many records are linked, in review and alone."""
    from huiliu.database import connect
    from linkage.run import last_runs

    with connect(BUILD) as conn:
        found = last_runs(conn)
    columns = ["build_id", "as_of", "records", "scored", "decided", "linked", "in_review", "alone", "changed"]
    report(found, as_json, lambda: show(found, columns, "linkage"))
