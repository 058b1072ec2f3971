"""Rows that came back as another row: of a source without keys, a row is its whole content.

Change a column of such a row, and its old content is deleted and a new row inserted. The new one counts
as the old one if both happened in one batch and all columns but one are alike: changed in two, it does not.
"""

from __future__ import annotations

from datetime import date, timedelta

from psycopg import sql

from huiliu.database import Connection
from soda_checks.contract import Contract

RETURN_DAYS = 30
"""Days within which a fault that was closed and comes back keeps its former due date."""

_IS_KEYLESS = """
select from ops.resource
where source = %s and table_name = %s and coalesce(cardinality(key_columns), 0) = 0
"""

_EMPTY = """
drop table if exists pg_temp.successor;
create temporary table successor (row_key text primary key, former_key text not null)
"""

_FIND = sql.SQL("""
with former as materialized (
    select distinct deleted._row_key, deleted._batch_id
    from quality.correction as closed
    inner join {raw} as deleted on closed.row_key::uuid = deleted._row_key and deleted._op = 'D'
    where closed.table_name = %(table_name)s and closed.closed_as = 'gone'
        and closed.closed_on >= %(returns_since)s
),

version as (
    select true as is_former, former._row_key, former._batch_id from former
    union all
    select false as is_former, sent._row_key, sent._batch_id
    from {raw} as sent
    where sent._op <> 'D' and sent._batch_id in (select former._batch_id from former)
        and sent._row_key in (select failing.row_key::uuid from pg_temp.failing as failing)
),

part as materialized (
    select version.*, left_out.name, md5((content.columns - left_out.name)::text) as hash
    from version
    cross join lateral (
        select to_jsonb(sent) - array['_row_key', '_op', '_batch_id', '_loaded_on'] as columns
        from {raw} as sent
        where sent._row_key = version._row_key and sent._op <> 'D'
        limit 1
    ) as content
    cross join lateral jsonb_object_keys(content.columns) as left_out (name)
)

insert into pg_temp.successor (row_key, former_key)
select came._row_key, min(gone._row_key::text)
from part as came
inner join part as gone using (_batch_id, name, hash)
where not came.is_former and gone.is_former
group by came._row_key
""")


def find_successors(connection: Connection, contract: Contract, today: date) -> None:
    """Put the failing rows of a table without keys that came for deleted ones into `pg_temp.successor`.

    It is empty for every other table.
    """
    connection.execute(_EMPTY)
    source = str(contract.huiliu.source)
    table = contract.raw_table.removeprefix(f"{source}__")
    if connection.execute(_IS_KEYLESS, (source, table)).fetchone() is None:
        return
    connection.execute(
        _FIND.format(raw=sql.Identifier("raw", contract.raw_table)),
        {"table_name": contract.table_name, "returns_since": today - timedelta(days=RETURN_DAYS)},
    )
