"""The goal of wide profiles: 2,100 tags a person, built, kept up to date, searched and looked up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from psycopg import sql

from benchmarks import workplace
from benchmarks.finding import Finding, Ratio, per_model, timed
from benchmarks.town import Town
from benchmarks.wide_project import WideGroup, widen
from huiliu import business_date
from huiliu.database import Connection, connect, connect_to
from huiliu.errors import HuiliuError
from huiliu.settings import get_settings
from ingestion.run import ingest
from simulator import days
from soda_checks.gate import gate_staging
from transformation.build import ModelRun, build
from transformation.checks import ensure_typed_views
from transformation.dbt_runner import DbtProject

_TAGS, _GROUPS = 2_100, 14
_PROFILE = "path:models/theme/profile"
_QUERIES, _LOOK_UPS = 5, 100
_LOOK_UP_LIMIT_MS = 100
# Rural old people who draw the residents' pension and a farm subsidy, with less than two homes.
_WANTED = (
    ("theme_profile__identity", "is_elderly"),
    ("theme_profile__identity", "has_rural_hukou"),
    ("theme_profile__insurance", "draws_residents_pension"),
    ("theme_profile__property", "contracts_land"),
    ("theme_profile__property", "had_farm_subsidy_last_year"),
)
_UNWANTED = ("theme_profile__property", "owns_several_homes")


def wide_tags(town: Town) -> Finding:
    """Build 2,100 tags in 14 groups beside the real ones, then a day of them, and read them.

    The last goal of a city: the warehouse then holds the generated tables, and its builds are theirs.
    """
    town.start()
    town.say("the real tags")
    few = _build_groups(town.project)
    with TemporaryDirectory(prefix="huiliu-bench-tags-") as folder:
        project_folder = Path(folder) / "dbt_project"
        source = get_settings().project_root / "dbt_project"
        groups = widen(source, project_folder, tags=_TAGS, groups=_GROUPS)
        project = DbtProject(project_folder)
        town.say(f"{_TAGS:,} tags")
        many = _build_groups(project)
        with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
            real, people, size = _check(conn, groups)
            scan, query = _searched(conn, groups)
            look_up = _looked_up(conn)
        town.say(f"a day of {_TAGS:,} tags")
        touched, day = _day(project)
    ratios = (
        Ratio(many / few, _TAGS / real),
        per_model(day, many, share=0.05, each=0.3, count=_GROUPS),
        Ratio(query / scan, 3),
        Ratio(look_up * 1000, _LOOK_UP_LIMIT_MS, "ms"),
    )
    text = (
        f"{people:,} people: {real} tags {few:.1f} s, {_TAGS:,} tags in {_GROUPS} groups {many:.1f} s,"
        f" each equal to its original; a day {day:.1f} s (in one group {touched / people:.1%} of people"
        f" change); five tags of three groups and not a sixth {query * 1000:.0f} ms, counting those groups"
        f" {scan * 1000:.0f} ms;"
        f" a profile {look_up * 1000:.1f} ms; {size / people:.0f} bytes a person with indexes"
    )
    return Finding(ratios, text)


def _build_groups(project: DbtProject) -> float:
    """Return the seconds that the profile's models take from nothing, added up."""
    workplace.checkpoint()
    return sum(run.seconds for run in _runs(project, select=_PROFILE, full_refresh=True))


def _runs(project: DbtProject, *, select: str, full_refresh: bool) -> list[ModelRun]:
    """Build a selection and return the runs of the profile's models."""
    built = build(select=select, full_refresh=full_refresh, project=project)
    if built.failed:
        failed = ", ".join(run.name for run in built.failed)
        raise HuiliuError(f"models failed: {failed}", fix="mend them first")
    return [run for run in built.models if run.name.startswith("theme_profile__")]


def _check(conn: Connection, groups: Sequence[WideGroup]) -> tuple[int, int, int]:
    """Compare each tag with its original; return the number of originals, of people, and all bytes."""
    for group in groups:
        differs = sql.SQL(" or ").join(
            sql.SQL("wide.{} is distinct from original.{}").format(
                sql.Identifier(name), sql.Identifier(copied)
            )
            for name, copied in group.tags.items()
        )
        statement = sql.SQL(
            "select count(*) from {} as wide"
            " full join {} as original on wide.person_key = original.person_key"
            " where wide.person_key is null or original.person_key is null or {}"
        ).format(_table(group.model), _table(group.template), differs)
        if differing := _number(conn, statement):
            raise HuiliuError(
                f"{differing} people differ in {group.model}", fix="compare it with its original"
            )
    size = sum(
        _number(conn, sql.SQL("select pg_total_relation_size({}::regclass)").format(f"theme.{group.model}"))
        for group in groups
    )
    originals = {copied for group in groups for copied in group.tags.values()}
    people = _number(conn, sql.SQL("select count(*) from {}").format(_table(groups[0].model)))
    return len(originals), people, size


def _searched(conn: Connection, groups: Sequence[WideGroup]) -> tuple[float, float]:
    """Return the seconds of counting three groups, and of five tags over them and not a sixth."""
    of = {group.template: group for group in reversed(groups)}
    asked = list(dict.fromkeys(template for template, _ in _WANTED))
    place = {template: sql.Identifier(f"g{number}") for number, template in enumerate(asked)}

    def column(template: str, tag: str) -> sql.Composed:
        return sql.SQL(".").join([place[template], sql.Identifier(of[template].named(tag))])

    tables = [sql.SQL("{} as {}").format(_table(of[it].model), place[it]) for it in asked]
    on = [sql.SQL(" on g0.person_key = {}.person_key").format(place[it]) for it in asked]
    joined = tables[0] + sql.SQL("").join(
        sql.SQL(" join ") + table + key for table, key in zip(tables[1:], on[1:], strict=True)
    )
    wanted = sql.SQL(" and ").join(column(*it) for it in _WANTED)
    query = sql.SQL("select g0.person_key from {} where {} and not {}").format(
        joined, wanted, column(*_UNWANTED)
    )
    counts = [sql.SQL("select count(*) from {}").format(_table(of[it].model)) for it in asked]
    scans = [sum(timed(partial(conn.execute, count)) for count in counts) for _ in range(_QUERIES)]
    queries = [timed(lambda: conn.execute(query).fetchall()) for _ in range(_QUERIES)]
    return median(scans), median(queries)


def _looked_up(conn: Connection) -> float:
    keys = conn.execute(
        "select person_key from base.base_population__person order by md5(person_key::text) limit %s",
        (_LOOK_UPS,),
    ).fetchall()
    statement = "select tags from theme.theme_profile__person where person_key = %s"
    return median(timed(partial(_fetch, conn, statement, key)) for key in keys)


def _fetch(conn: Connection, statement: str, key: tuple[object, ...]) -> object:
    return conn.execute(statement, key).fetchone()


def _day(project: DbtProject) -> tuple[int, float]:
    """Let a day pass; return the most people who change in a group, and the profile's seconds."""
    today = days.advance(days=1)
    with connect("warehouse") as conn:
        business_date.set(conn, today)
    ingest()
    ensure_typed_views()
    gate_staging()
    workplace.checkpoint()
    runs = _runs(project, select=f"+{_PROFILE}", full_refresh=False)
    return max(run.rows or 0 for run in runs), sum(run.seconds for run in runs)


def _table(model: str) -> sql.Identifier:
    return sql.Identifier("theme", model)


def _number(conn: Connection, statement: sql.SQL | sql.Composed) -> int:
    row = conn.execute(statement).fetchone()
    return int(row[0]) if row else 0
