"""Persons who move between consumers: a row gone here and come there, logged as a pair (`ops.region_move`).

Townships (9 digits) and districts (6) are paired apart. Every case and its outcome: docs/return_flow.md.
A side counts as done only by a receipt: `confirm` looks at what the consumer verifiably holds, not at what we
meant to send.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from returnflow.spec import Package

_GONE = """
create temporary table moved_gone on commit drop as
select row_key::uuid as person_key, length(consumer_code) as level, consumer_code as code,
    null::timestamptz as deleted_at
from ops.planned_change
where batch_id = %(batch)s and package = %(package)s and op = 'D'
"""

# A consumer never served gets its rows as its first load, which is no arrival; only its ends of moves matter.
_COME = """
create temporary table moved_come on commit drop as
select row_key::uuid as person_key, length(consumer_code) as level, consumer_code as code,
    null::timestamptz as inserted_at, true as is_served
from ops.planned_change
where batch_id = %(batch)s and package = %(package)s and op = 'I'
union all
select model.person_key::uuid, length(model.consumer_code), model.consumer_code, null, false
from {model} as model
where model.consumer_code = any(%(unserved)s) and model.person_key::uuid in (
    select person_key from moved_gone
    union
    select person_key from ops.region_move where package = %(package)s and closed_at is null
)
"""

# An open pair whose missing side is not wanted any more: the person moved on, or came back, before that.
# If the old consumer has deleted the row already, that deletion begins the pair that follows.
_SUPERSEDE = """
with stale as (
    update ops.region_move as move set closed_at = clock_timestamp(), outcome = case
        when deleted_at is null and inserted_at is null
            and not exists (
                select from moved_gone as gone
                where gone.person_key = move.person_key
                    and gone.level = length(coalesce(move.from_code, move.to_code))
            )
            and not exists (
                select from moved_come as come
                where come.person_key = move.person_key
                    and come.level = length(coalesce(move.from_code, move.to_code))
            )
        then 'cancelled' else 'superseded' end
    where package = %(package)s and closed_at is null and (
        (from_code is not null and deleted_at is null and not exists (
            select from moved_gone as gone
            where gone.person_key = move.person_key and gone.code = move.from_code
        ))
        or (to_code is not null and inserted_at is null and not exists (
            select from moved_come as come
            where come.person_key = move.person_key and come.code = move.to_code
        ))
    )
    returning person_key, from_code, deleted_at, inserted_at
)
insert into moved_gone (person_key, level, code, deleted_at)
select person_key, length(from_code), from_code, deleted_at from stale
where from_code is not null and deleted_at is not null and inserted_at is null
"""

_DROP_GONE_OF_OPEN_PAIRS = """
delete from moved_gone as gone using ops.region_move as move
where move.package = %(package)s and move.closed_at is null and move.deleted_at is null
    and move.person_key = gone.person_key and move.from_code = gone.code and gone.deleted_at is null
"""

_DROP_COME_OF_OPEN_PAIRS = """
delete from moved_come as come using ops.region_move as move
where move.package = %(package)s and move.closed_at is null and move.inserted_at is null
    and move.person_key = come.person_key and move.to_code = come.code
"""

# Gone here, and held already by the consumer where the person is now: that side of the pair is done.
_COME_BEFORE = """
insert into moved_come (person_key, level, code, inserted_at, is_served)
select gone.person_key, gone.level, model.consumer_code, clock_timestamp(), true
from (select distinct person_key, level from moved_gone) as gone
inner join {model} as model
    on model.person_key::uuid = gone.person_key and length(model.consumer_code) = gone.level
inner join ops.sent_row as sent
    on sent.package = %(package)s and sent.consumer_code = model.consumer_code
        and sent.row_key = gone.person_key::text
where not exists (
    select from moved_come as come where come.person_key = gone.person_key and come.level = gone.level
)
"""

_PAIR = """
insert into ops.region_move (package, person_key, from_code, to_code, moved_on, deleted_at, inserted_at)
select %(package)s, person_key, gone.code, come.code, %(day)s, gone.deleted_at, come.inserted_at
from (
    select *, row_number() over (partition by person_key, level order by code) as nth from moved_gone
) as gone
full join (
    select *, row_number() over (partition by person_key, level order by code) as nth from moved_come
) as come using (person_key, level, nth)
where gone.code is not null or come.is_served
"""

_CLOSE = """
update ops.region_move set closed_at = clock_timestamp(), outcome = case
    when from_code is null then 'arrived'
    when to_code is null then 'left'
    when from_code = to_code then 'returned'
    else 'moved' end
where package = %(package)s and closed_at is null
    and (from_code is null or deleted_at is not null) and (to_code is null or inserted_at is not null)
"""

_CONFIRM = """
with held as (
    select move_id, exists (
        select from ops.sent_row
        where sent_row.package = %(package)s and sent_row.consumer_code = %(code)s
            and sent_row.row_key = region_move.person_key::text
    ) as is_here
    from ops.region_move
    where package = %(package)s and closed_at is null and (from_code = %(code)s or to_code = %(code)s)
)
update ops.region_move as move set
    deleted_at = case when from_code = %(code)s and not is_here then coalesce(deleted_at, clock_timestamp())
        else deleted_at end,
    inserted_at = case when to_code = %(code)s and is_here then coalesce(inserted_at, clock_timestamp())
        else inserted_at end
from held
where held.move_id = move.move_id
"""


def log_moves(conn: Connection, package: Package, batch_id: int, day: date, unserved: Sequence[str]) -> None:
    """Pair the rows that the planned changes delete and insert, in the caller's transaction.

    ``unserved`` are codes of consumers that never had a delivery of the package.
    """
    params = {"batch": batch_id, "package": package.name, "day": day, "unserved": list(unserved)}
    model = sql.Identifier("return", package.model)
    steps = (
        _GONE,
        _COME,
        _SUPERSEDE,
        _DROP_GONE_OF_OPEN_PAIRS,
        _DROP_COME_OF_OPEN_PAIRS,
        _COME_BEFORE,
        _PAIR,
        _CLOSE,
    )
    for step in steps:
        conn.execute(sql.SQL(step).format(model=model), params)
    conn.execute("drop table moved_gone, moved_come")


def confirm(conn: Connection, package: Package, consumer_code: str) -> None:
    """Mark this consumer's sides of open pairs done by what it holds now; close pairs that are complete."""
    params = {"package": package.name, "code": consumer_code}
    conn.execute(_CONFIRM, params)
    conn.execute(_CLOSE, params)
