"""How a source knows the row of a correction: its own key, unless that says who someone is.

A key is told only if the dictionary calls each of its columns public or internal, and never if a value looks
like an ID number: a sole trader's tax number may be one. Else the row goes by its opaque row key.
"""

from __future__ import annotations

from psycopg import sql

from huiliu.database import Connection
from huiliu.dictionary import CLASSIFICATIONS
from soda_checks.contract import Contract

_TELLABLE = tuple(f"分级：{CLASSIFICATIONS[it]}" for it in ("public", "internal"))

# 15 or 18 digits with no digit beside them, in either width: the date within may be mistyped, too.
_ID_NUMBER = r"(?<![0-9０-９])[0-9０-９]{15}([0-9０-９]{2}[0-9０-９XxＸｘ])?(?![0-9０-９])"

_KEY_COLUMNS = """
select key.name, split_part(described.description, '：', 1), coalesce(described.description, '')
from ops.resource as resource
cross join lateral unnest(resource.key_columns) with ordinality as key (name, place)
left join pg_attribute as attribute
    on attribute.attrelid = to_regclass(%(staging)s) and attribute.attname = key.name
left join pg_description as described
    on described.objoid = attribute.attrelid and described.objsubid = attribute.attnum
    and described.classoid = 'pg_class'::regclass
where resource.source = %(source)s and resource.table_name = %(table)s
order by key.place
"""


def source_key(connection: Connection, contract: Contract) -> tuple[sql.Composable, sql.Composable]:
    """Return SQL for the source's key of a row of `held`, and the join on `landed` that it needs.

    The key is null where the row goes by its row key.
    """
    source = str(contract.huiliu.source)
    columns = connection.execute(
        _KEY_COLUMNS,
        {
            "staging": f"{contract.layer}.{contract.model}",
            "source": source,
            "table": contract.raw_table.removeprefix(f"{source}__"),
        },
    ).fetchall()
    if not columns or not all(any(it in comment for it in _TELLABLE) for _, _, comment in columns):
        return sql.SQL("null"), sql.SQL("")
    told = sql.SQL(", ").join(
        sql.SQL("{} || ' ' || landed.{}").format(sql.Literal(label), sql.Identifier(name))
        for name, label, _ in columns
    )
    suspect = sql.SQL(" or ").join(
        sql.SQL("landed.{} ~ {}").format(sql.Identifier(name), sql.Literal(_ID_NUMBER))
        for name, _, _ in columns
    )
    return (
        sql.SQL("case when not coalesce({}, false) then nullif(concat_ws('，', {}), '') end").format(
            suspect, told
        ),
        sql.SQL(
            "left join {} as landed on held._row_key = landed._row_key and held._batch_id = landed._batch_id"
        ).format(sql.Identifier("raw", contract.raw_table)),
    )
