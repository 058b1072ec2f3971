"""Who meets whom: the blocking keys of all records and people, kept in linkage.block.

The keys let PostgreSQL find by its indexes whom a touched record or person meets, so that a day reads only
them. The rules are the model's own: what PostgreSQL finds is what Splink will pair.
"""

from __future__ import annotations

from psycopg import sql

from linkage.model import Model
from linkage.store import Store

_COLUMNS = {
    "identifier_key": "uuid", "is_person": "boolean", "sex": "text", "birth_date": "date",
    "birth_year": "integer", "birth_day": "text", "name_folded": "text", "spouse_folded": "text",
    "number15": "text", "couple": "text",
}  # fmt: skip
_OF_ROWS = """
select distinct
    described.identifier_key, false as is_person, record.sex, record.birth_date, record.birth_year, birth_day,
    name_folded, spouse_folded, number15,
    couple_of(described.source, described.event_on, described.name, described.relative_name)
from described_record as described
left join record on described.identifier_key = record.identifier_key
union all
select distinct
    identifier_key, true, sex, birth_date, birth_year, birth_day, name_folded, spouse_folded, number15, null
from person
"""
_FORGET = "delete from linkage.block where identifier_key in (select key from touched_any)"
_REMEMBER = "insert into linkage.block select * from new_block"
_WANTED = """
create temporary table wanted_record on commit drop as select key from touched_record;
create temporary table wanted_person on commit drop as select key from touched_person;
"""
# Two people with numbers are never compared.
_MET = """
insert into {wanted}
select r.identifier_key from new_block as l
inner join linkage.block as r on {rule}
where r.is_person = {is_person} and not (l.is_person and r.is_person)
"""


def keep_all(store: Store) -> None:
    """Keep the keys of all rows of the tables record and person, and of no other."""
    store.send(_OF_ROWS, "new_block", _COLUMNS)
    store.conn.execute("truncate linkage.block")
    store.conn.execute(_REMEMBER)


def find_met(store: Store, model: Model) -> None:
    """Keep the keys of what was touched, and make wanted_record, wanted_person: those and whom they meet."""
    store.compare_records("touched_record")
    store.compare_people("touched_person")
    store.send(_OF_ROWS, "new_block", _COLUMNS)
    store.conn.execute(_FORGET)
    store.conn.execute(_REMEMBER)
    store.conn.execute(_WANTED)
    for rule in model.settings["blocking_rules_to_generate_predictions"]:
        for wanted, is_person in (("wanted_record", False), ("wanted_person", True)):
            store.conn.execute(
                sql.SQL(_MET).format(
                    wanted=sql.Identifier(wanted),
                    is_person=sql.Literal(is_person),
                    rule=sql.SQL(rule["blocking_rule"]),
                )
            )
