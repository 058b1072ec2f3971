"""The `huiliu` command: services, the simulated city, and each step of the flow without Airflow.

Exit codes: 0 done, 1 failed, 2 misused. `--json` prints one JSON document on standard output; progress and
errors go to standard error. Stages are imported inside their verb, so `huiliu status` does not wait for dbt.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import Annotated

import typer
from rich.logging import RichHandler

from huiliu import cli_contracts, cli_corrections, cli_drift, cli_linkage, cli_sources
from huiliu.cli_output import Json, err, out, plain, report, say, show
from huiliu.errors import ConfigError, DataError, HuiliuError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def main(verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False) -> None:
    """Set up logging to standard error; the libraries' own chatter stays out."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)]
    )
    packages = "huiliu", "ingestion", "linkage", "transformation", "soda_checks", "returnflow", "simulator"
    for package in packages:
        logging.getLogger(package).setLevel(logging.DEBUG if verbose else logging.INFO)


def run() -> None:
    """Entry point: turn a HuiliuError into one message and the exit code of the contract."""
    try:
        app()
    except ConfigError as error:
        say(error, "error")
        raise SystemExit(2) from error
    except HuiliuError as error:
        say(error, "error")
        raise SystemExit(1) from error


@app.command()
def up(
    only: Annotated[str | None, typer.Option(help="Comma-separated services; default all.")] = None,
) -> None:
    """Start the services (PostgreSQL, the simulated sources' APIs, Airflow) and prepare the databases."""
    from huiliu import services

    services.up(only.split(",") if only else None)
    status()


@app.command()
def down() -> None:
    """Stop every service of this HUILIU_HOME; leaves no process and no open port."""
    from huiliu import services

    services.down()


@app.command()
def prepare() -> None:
    """Make roles, databases, ledgers and Airflow's tables on the servers there are; safe to run again."""
    from huiliu import airflow_config, provision

    provision.provision()
    airflow_config.ensure_password()
    airflow_config.migrate()


@app.command(name="exec")
def exec_(service: str) -> None:
    """Become one service in the foreground, as a container does; `huiliu status` lists their names."""
    from huiliu.programs import programs

    known = programs()
    if service not in known:
        raise ConfigError(f"there is no service {service}", fix=f"use one of {', '.join(known)}")
    launch = known[service].launch()
    os.execve(launch.command[0], launch.command, {**os.environ, **launch.environment})  # noqa: S606 - becoming a known service is the purpose


@app.command()
def status(as_json: Json = False) -> None:
    """Show each service: running or not, its address and its log."""
    from huiliu import services

    states = services.status()
    report(states, as_json, lambda: show(list(states), ["name", "state", "address", "log"], "services"))


@app.command()
def dsn(name: str) -> None:
    """Print a connection string: warehouse, airflow, source:<name>, front:<code>."""
    from huiliu.connections import dsn as connection_string

    typer.echo(connection_string(name))


@app.command()
def simulate(
    persons: Annotated[int | None, typer.Option(min=100, help="A new city of so many people.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = 20260115,
    days: Annotated[int | None, typer.Option(min=1, help="Let days pass in the city there is.")] = None,
) -> None:
    """Make a new simulated city, or let days pass in it; moves the business date along."""
    from huiliu import business_date, regions
    from huiliu.database import connect
    from huiliu.settings import get_settings
    from simulator import city
    from simulator import days as passing

    if (persons is None) == (days is None):
        raise typer.BadParameter("give either --persons (a new city) or --days (days passing)")
    settings = get_settings()
    if persons is not None:
        today = city.create(
            persons=persons, seed=seed, regions=regions.load(settings.regions), home=settings.home
        )
    else:
        today = passing.advance(days=days or 1)
    with connect("warehouse") as connection:
        business_date.set(connection, today)
    typer.echo(f"business date {today:%Y-%m-%d}")


app.command()(cli_sources.ingest)
app.command()(cli_sources.tasks)
app.command()(cli_sources.late)
app.command()(cli_contracts.contracts)
app.command()(cli_corrections.corrections)
app.command()(cli_corrections.send_corrections)
app.command()(cli_corrections.suppress)
app.command()(cli_corrections.suppressions)
app.command()(cli_drift.drift)
app.add_typer(cli_linkage.app, name="link")


@app.command()
def stream(
    minutes: Annotated[float, typer.Option(min=0, help="How long; 0: one micro-batch.")] = 15,
) -> None:
    """Bring changes at the streamed sources to the consumers, in micro-batches between two days."""
    from huiliu.stream import run_stream

    if lasting := run_stream(minutes, say):
        raise DataError("; ".join(lasting), fix="mend what is named; the next stream goes on by itself")


@app.command()
def gate(as_json: Json = False) -> None:
    """Check landed batches against the blocking rules; hold those that fail."""
    from soda_checks.gate import gate_staging
    from transformation.checks import ensure_typed_views

    ensure_typed_views()
    result = gate_staging()
    columns = ["batch_id", "source", "table_name", "status", "rows", "reason", "drift"]
    report(result, as_json, lambda: show(result.batches, columns, "staging gate"))


@app.command()
def release(
    batch_id: int,
    reason: Annotated[str, typer.Option(help="Why the held batch may pass.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
) -> None:
    """Let a batch that the staging gate holds pass."""
    from soda_checks.decisions import release as release_batch

    release_batch(batch_id, by=by, reason=reason)
    typer.echo(f"batch {batch_id} released")


@app.command()
def replace(
    batch_id: int,
    reason: Annotated[str, typer.Option(help="Why the held batch is not needed.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
) -> None:
    """Set a held batch aside for good, once later batches hold newer versions of all its rows."""
    from soda_checks.decisions import replace as replace_batch

    replace_batch(batch_id, by=by, reason=reason)
    typer.echo(f"batch {batch_id} replaced")


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Rebuild everything.")] = False,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Business date.")] = None,
    as_json: Json = False,
) -> None:
    """Gate the landed batches, then build staging to special and return with dbt."""
    from soda_checks.gate import gate_staging
    from transformation.build import build as build_models
    from transformation.checks import ensure_typed_views

    ensure_typed_views()
    for batch in gate_staging().held:
        say(f"batch {batch.batch_id} of {batch.source}.{batch.table_name} is held: {batch.reason}")
    result = build_models(full_refresh=full_refresh, as_of=as_of.date() if as_of else None)
    columns = ["name", "status", "seconds", "rows", "message"]
    report(result, as_json, lambda: show(list(result.models), columns, f"build {result.build_id}"))
    if result.failed:
        raise typer.Exit(1)


@app.command()
def collide(
    a: str,
    b: str,
    on: Annotated[str, typer.Option(help="The key column that both tables have, such as identifier_key.")],
    by: Annotated[str, typer.Option(help="Who asks.")],
    mode: Annotated[str, typer.Option(help="both: keys in A and B; only_a: keys that B has not.")] = "both",
    as_json: Json = False,
) -> None:
    """Compare two tables of the warehouse by a key; the result holds keys alone, and the call is logged."""
    from transformation.collision import collide as compare

    done = compare(a, b, on=on, by=by, mode=mode)
    report(done, as_json, lambda: out.print(plain(done)))


@app.command()
def docs() -> None:
    """Write the data dictionary and dbt's documentation as files that open without a network."""
    from huiliu.docs import write_docs

    for path in write_docs():
        typer.echo(path)


@app.command()
def score(as_json: Json = False) -> None:
    """Verify every contract and score quality; fails if any rule could not be evaluated."""
    from soda_checks.score import score as score_quality

    result = score_quality()
    report(result, as_json, lambda: out.print(plain(result)))
    for problem in result.problems:
        say(f"could not be evaluated: {problem}")
    if result.problems:
        raise typer.Exit(1)


@app.command(name="return")
def return_(
    packages: Annotated[list[str] | None, typer.Argument(help="Default: every package.")] = None,
    consumer: Annotated[list[str] | None, typer.Option(help="Consumer code; repeat for several.")] = None,
    release_mass_delete: Annotated[
        bool, typer.Option("--release-mass-delete", help="Let deletions above the package's limit pass.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Deliver the packages to the front-end databases and take receipts."""
    from returnflow.run import deliver_all

    result = deliver_all(packages or None, consumer or None, release_mass_delete=release_mass_delete)
    report(result, as_json, lambda: out.print(plain(result)))


@app.command(name="run")
def run_flow() -> None:
    """All steps in order without Airflow: ingest, gate, build, score, corrections, return, metrics."""
    from huiliu.flow import run_flow as run_all

    failures = run_all(report=say)
    if failures:
        raise typer.Exit(1)


@app.command()
def demo(
    persons: Annotated[int, typer.Option(min=100)] = 20_000,
    seed: Annotated[int, typer.Option()] = 20260115,
) -> None:
    """The whole flow in Airflow on a simulated city; again = the next day."""
    from huiliu.demo import run_demo

    run_demo(persons=persons, seed=seed)
