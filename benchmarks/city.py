"""Goals of a whole city: simulating it, building it, returning its packages, scoring it."""

from __future__ import annotations

from functools import partial
from statistics import median

from psycopg import sql

from benchmarks import pipe, workplace
from benchmarks.finding import Finding, Ratio, one, per_model, spread, timed
from benchmarks.town import Day, Town
from huiliu.database import connect_to
from huiliu.errors import HuiliuError
from returnflow.consumers import consumers_of
from returnflow.spec import Package, load_packages
from soda_checks.contract import load_contracts

_MILLION = 1_000_000
_CITY_SECONDS, _CITY_MEGABYTES = 180, 4_000  # of a million people
_PASSES = 3


def simulated_city(town: Town) -> Finding:
    """Simulate the city, its limits in proportion to its people."""
    run, part = town.founding, town.persons / _MILLION
    ratios = (
        Ratio(run.seconds / part, _CITY_SECONDS, "s a million"),
        Ratio(run.megabytes / part, _CITY_MEGABYTES, "MB a million"),
    )
    return Finding(ratios, f"{town.persons:,} people: {run.seconds:.1f} s, {run.megabytes:.0f} MB")


def full_build(town: Town) -> Finding:
    """Build everything for the first time, beside copying every raw table within the warehouse."""
    day, copies = town.first, town.raw_copies
    seconds = day.seconds["build"] - day.linkage_seconds
    text = (
        f"{town.persons:,} people, {len(day.built.models)} models: {seconds:.1f} s without linkage's"
        f" {day.linkage_seconds:.1f} s, copies {spread(copies)}"
    )
    return one(seconds / median(copies), 10, text)


def day_build(town: Town) -> Finding:
    """Build a day on which about 1 % of the sources' rows changed."""
    days = sorted(town.later, key=_build_seconds)
    day = days[len(days) // 2]
    whole, models = _build_seconds(town.first), len(day.built.models)
    ratio = per_model(_build_seconds(day), whole, share=0.05, each=0.3, count=models)
    shown = spread([_build_seconds(each) for each in days])
    share = day.changed_rows / town.first.changed_rows
    text = (
        f"{share:.1%} of {town.first.changed_rows:,} rows, {models} models: {shown}, full build {whole:.1f} s"
    )
    return Finding((ratio,), text)


def twice_the_city(town: Town) -> Finding:
    """Compare the full build of the city with that of one half its size."""
    if town.half is None:
        raise HuiliuError("the half city failed", fix="see its error above")
    once, twice = town.half.seconds["build"], _build_seconds(town.first)
    text = f"{town.persons // 2:,} people {once:.1f} s, {town.persons:,} people {twice:.1f} s"
    return one(twice / once, 2.2, text)


def first_return(town: Town) -> Finding:
    """Return all packages for the first time, beside one COPY pipe a package of the same rows."""
    day, seconds = town.first, town.first.seconds["return"]
    packages = list(load_packages().values())
    copies = [[_pipe_package(package) for package in packages] for _ in range(_PASSES)]
    passes = [sum(took for took, _ in one_pass) for one_pass in copies]
    rows = sum(count for _, count in copies[0])
    text = (
        f"{day.deliveries} deliveries ({day.held} held), {day.rows_returned:,} rows: {seconds:.1f} s;"
        f" pipe of {rows:,} rows {spread(passes)}"
    )
    return one(seconds / median(passes), 3, text)


def day_return(town: Town) -> Finding:
    """Return the packages on a day on which about 1 % of the sources' rows changed."""
    days = sorted(town.later, key=_return_seconds)
    day, whole = days[len(days) // 2], _return_seconds(town.first)
    ratio = per_model(_return_seconds(day), whole, share=0.2, each=0.02, count=day.deliveries)
    shown = spread([_return_seconds(each) for each in days])
    text = f"{day.deliveries} deliveries, {day.rows_returned:,} rows: {shown}, first return {whole:.1f} s"
    return Finding((ratio,), text)


def scoring(town: Town) -> Finding:
    """Verify every contract, beside one sequential scan of each table."""
    seconds = town.first.seconds["score"]
    tables = sorted({(it.layer, it.model) for it in load_contracts().values()})
    scans = [_scan(tables, "select count(*) from {}") for _ in range(_PASSES)]
    # Counting reads no column; what checks need at least is every value once.
    reads = _scan(tables, "select count(t::text) from {} as t")
    text = f"{len(tables)} tables: {seconds:.1f} s, scans {spread(scans)}; reading every value {reads:.1f} s"
    return one(seconds / median(scans), 3, text)


def _build_seconds(day: Day) -> float:
    return day.seconds["build"]


def _return_seconds(day: Day) -> float:
    return day.seconds["return"]


def _scan(tables: list[tuple[str, str]], query: str) -> float:
    with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
        for setting in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
            conn.execute(sql.SQL("set {} = off").format(sql.Identifier(setting)))
        statements = [sql.SQL(query).format(sql.Identifier(*table)) for table in tables]
        return timed(lambda: [conn.execute(statement) for statement in statements])


def _pipe_package(package: Package) -> tuple[float, int]:
    """Copy a package's rows into one table of a front-end database; return seconds and rows."""
    source, front_code = workplace.admin("warehouse"), consumers_of(package)[0].front_code
    target, table = workplace.admin(f"front_{front_code}"), sql.Identifier("bench_" + package.name)
    typed = [(sql.Identifier(column.name), sql.SQL(column.type)) for column in package.columns]
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(*pair) for pair in typed)
    values = sql.SQL(", ").join(sql.SQL("{}::{}").format(*pair) for pair in typed)
    codes = [consumer.code for consumer in consumers_of(package)]
    query = sql.SQL("select {} from {} where consumer_code = any({}::text[])").format(
        values, sql.Identifier("return", package.model), sql.Literal(codes)
    )
    with connect_to(target, "admin", autocommit=True) as conn:
        conn.execute(sql.SQL("create table {} ({})").format(table, columns))
        seconds = timed(partial(pipe.copy_rows, source, query, target, table))
        counted = conn.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
        conn.execute(sql.SQL("drop table {}").format(table))
    return seconds, int(counted[0]) if counted else 0
