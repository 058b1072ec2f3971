"""Plants between source and staging: C04 files their manifests contradict, S06 rows lost or left over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import md5
from uuid import UUID

from own_warehouse import TODAY
from psycopg import sql

from huiliu.database import Connection
from plants.record import Ask, Draft, Fate, Plant, Recipe, Recipes

# --- C04 -------------------------------------------------------------------------------------------------


def _file(says: Callable[[int], int | None], why: str, *, is_made_good: bool = False) -> Recipe:
    """A file of ever more rows, at first of none, and how many its manifest says."""

    def recipe(ask: Ask) -> Draft:
        manifest = (says(ask.turn), ask.turn)
        return Draft(why, (), manifest=manifest, is_made_good=is_made_good, case=manifest)

    return recipe


FILES = Recipes(
    [
        _file(lambda read: read + 1, "one row is lost"),
        _file(lambda read: 10 * read + 7, "a digit of the number is lost"),
        _file(lambda read: read + 100, "a page is lost"),
        _file(lambda read: read - 1, "one row too many"),
        _file(lambda _: 0, "rows where there should be none"),
    ],
    [
        _file(lambda read: read, "as many as it says"),
        _file(lambda _: None, "the manifest has a checksum and no number"),
        _file(lambda read: read + 2, "the file came again, whole", is_made_good=True),
    ],
)

# --- S06 -------------------------------------------------------------------------------------------------


def _between(fate: Fate, why: str) -> Recipe:
    """A row between landing and staging."""

    def recipe(ask: Ask) -> Draft | None:
        return None if ask.column else replace(ask.change({}, why, case=(ask.table, fate)), fate=fate)

    return recipe


NOT_CONSERVED = [
    _between("lost", "landed and claimed, and not in staging"),
    _between("strayed", "in staging, and never landed"),
    _between("undeleted", "deleted at its source, and still in staging"),
    _between("stale", "changed at its source, and staging has it as it was"),
]
CONSERVED = [
    _between("deleted", "deleted at its source, and gone from staging"),
    _between("renewed", "changed at its source, and in staging"),
    _between("withdrawn", "deleted at its source by a batch that no build claimed"),
    _between("waiting", "not in staging, as no build claimed its batch"),
]

# --- landing them ----------------------------------------------------------------------------------------


def begin(connection: Connection, table: str, status: str = "landed", *, claimed: bool = True) -> int:
    """Begin a load of a raw table, which a build claims or not; return its batch id."""
    source, _, name = table.partition("__")
    (batch_id,) = connection.execute(
        "insert into ops.load_run (source, table_name, mode, business_date, status)"
        " values (%s, %s, 'snapshot', %s, %s) returning batch_id",
        (source, name, TODAY, status),
    ).fetchone() or (0,)
    if claimed:
        connection.execute(
            "with build as (insert into ops.build (as_of, full_refresh, status)"
            " values (%s, false, 'succeeded') returning build_id)"
            " insert into ops.build_batch select %s, build_id from build",
            (TODAY, batch_id),
        )
    return int(batch_id)


def file_key(table: str, number: int) -> str:
    """Key that the file of a plant goes by."""
    return str(UUID(md5(f"stg_{table}|{number}.json".encode(), usedforsecurity=False).hexdigest()))


def send_files(connection: Connection, table: str, plants: Mapping[int, Plant]) -> None:
    """Write down the loads of a table's files, those that stay contradicted last: a later load makes good."""
    for number, plant in sorted(plants.items(), key=lambda it: it[1].kind == "fault"):
        if plant.draft.manifest is None:
            continue
        is_refused = plant.kind == "fault" or plant.draft.is_made_good
        batch = begin(connection, table, "failed" if is_refused else "landed", claimed=False)
        connection.execute(
            "insert into ops.manifest (batch_id, what, expected_rows, actual_rows, matches)"
            " values (%s, %s, %s, %s, %s)",
            (batch, f"{number}.json", *plant.draft.manifest, not is_refused),
        )
        if plant.draft.is_made_good:
            begin(connection, table, claimed=False)


def befall(connection: Connection, table: str, rows: Iterable[tuple[str, Fate]]) -> None:
    """Let rows that landed, and stand in staging, meet their fates."""
    keys: dict[Fate, list[str]] = defaultdict(list)
    for key, fate in rows:
        keys[fate].append(key)
    if not keys:
        return
    later, waiting = begin(connection, table), begin(connection, table, claimed=False)
    for fate, named in keys.items():
        for statement in _FATES[fate]:
            connection.execute(
                statement.format(
                    raw=sql.Identifier("raw", table),
                    staging=sql.Identifier("staging", f"stg_{table}"),
                    keys=sql.SQL("any({}::uuid[])").format(sql.Literal(named)),
                    later=sql.Literal(later),
                    waiting=sql.Literal(waiting),
                )
            )


_SENT_AGAIN = """
insert into {{raw}}
select (jsonb_populate_record(landed, jsonb_build_object('_op', '{op}', '_batch_id', {{{batch}}}))).*
from {{raw}} as landed
where _row_key = {{keys}}
"""
_GONE = sql.SQL("delete from {staging} where _row_key = {keys}")
_DELETED = sql.SQL(_SENT_AGAIN.format(op="D", batch="later"))
_CHANGED = sql.SQL(_SENT_AGAIN.format(op="U", batch="later"))
_FATES: Mapping[Fate, Sequence[sql.SQL]] = {
    "lost": (_GONE,),
    "strayed": (sql.SQL("delete from {raw} where _row_key = {keys}"),),
    "undeleted": (_DELETED,),
    "stale": (_CHANGED,),
    "deleted": (_DELETED, _GONE),
    "renewed": (_CHANGED, sql.SQL("update {staging} set _batch_id = {later} where _row_key = {keys}")),
    "withdrawn": (sql.SQL(_SENT_AGAIN.format(op="D", batch="waiting")),),
    "waiting": (sql.SQL("update {raw} set _batch_id = {waiting} where _row_key = {keys}"), _GONE),
}
