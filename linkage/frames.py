"""What is compared: the described records and people as tables of DuckDB, one shape for both.

A person known by two names, or with two spouses, stands for several rows: each row is one way to know them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb

from huiliu.errors import ConfigError

_LOOKALIKES = Path(__file__).parent / "lookalikes.txt"
MEMORY_LIMIT = "2GB"

# As dbt describes them (base.int_record_described, base.int_identity_described); lists are texts with '|'.
RECORD_COLUMNS = {
    "identifier_key": "varchar", "source": "varchar", "name": "varchar", "sex": "varchar", "birth_date":
        "date",
    "birth_year": "integer", "pid_claimed": "varchar", "region_code": "varchar", "relative_name": "varchar",
    "relative_kind": "varchar", "event_on": "date",
}  # fmt: skip
PERSON_COLUMNS = {
    "identifier_key": "varchar", "pid": "varchar", "name": "varchar", "names": "varchar", "sex": "varchar",
    "birth_date": "date", "spouse_names": "varchar", "region_codes": "varchar", "died_on": "date",
}  # fmt: skip
# A source whose event is the death of its person.
_DEATHS = "funeral%"
# Nobody marries below this age; a record that says so is not of that person.
_YOUNGEST_SPOUSE = 15

_FUNCTIONS = """
create or replace macro listed(joined) as list_sort(list_distinct(string_split(nullif(joined, ''), '|')));
create or replace macro fifteen(pid) as case
    when length(pid) = 18 then substr(pid, 1, 6) || substr(pid, 9, 9)
    when length(pid) = 15 then pid
end;
create or replace macro couple_of(source, event_on, name, relative_name) as case
    when relative_name is not null then
        concat_ws('|', source, event_on, least(name, relative_name), greatest(name, relative_name))
end;
"""
_COMPARED = """
create or replace table {target} as
with named as (
    select
        *,
        folded(name) as name_folded,
        folded(spouse_name) as spouse_folded,
        strftime(birth_date, '%Y%m%d') as birth_text,
        coalesce(birth_year_said, year(birth_date)) as birth_year
    from ({described})
)
select
    *,
    fifteen(number) as number15,
    substr(birth_text, 5) as birth_day
from named
where name is not null
"""
_RECORDS = """
    select
        identifier_key as unique_id,
        'record' as source_dataset,
        identifier_key,
        name,
        relative_name as spouse_name,
        sex,
        birth_date,
        birth_year as birth_year_said,
        pid_claimed as number,
        case when length(region_code) >= 9 then [left(region_code, 9)] end as townships,
        case when length(region_code) >= 6 then [left(region_code, 6)] end as districts,
        case when source like '{deaths}' then event_on end as died_on,
        event_on as lived_on,
        case
            when relative_kind is not null and source not like '{deaths}'
                then year(event_on) - {youngest}
            else year(event_on)
        end as born_by
    from {source}
"""
_PEOPLE = """
    select
        identifier_key || '#' || row_number() over (partition by identifier_key order by variant, spouse)
            as unique_id,
        'person' as source_dataset,
        identifier_key,
        variant as name,
        spouse as spouse_name,
        sex,
        birth_date,
        null::integer as birth_year_said,
        pid as number,
        listed(region_codes) as townships,
        list_sort(list_distinct(list_transform(listed(region_codes), lambda code: left(code, 6)))) as
            districts,
        died_on,
        null::date as lived_on,
        null::integer as born_by
    from (
        select *, unnest(coalesce(listed(spouse_names), [null])) as spouse
        from (
            select
                *,
                unnest(list_sort(list_distinct(list_filter(
                    list_concat([name], coalesce(listed(names), [])), lambda known: known is not null
                )))) as variant
            from {source}
        )
    )
"""


def open_database(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB of its own in memory, bounded, spilling into a folder; nothing is fetched from
    anywhere."""
    database = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder),
            "threads": "2",
        },
    )
    like, same = folding()
    database.execute(_FUNCTIONS)
    # Characters come from our own file, and hold no quote: checked where it is read.
    database.execute(
        f"create or replace macro folded(person_name) as translate(person_name, '{like}', '{same}')"
    )
    return database


def make_records(database: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Make the table of compared records from a table with RECORD_COLUMNS."""
    described = _RECORDS.format(source=source, deaths=_DEATHS, youngest=_YOUNGEST_SPOUSE)
    database.execute(_COMPARED.format(target=target, described=described))


def make_people(database: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Make the table of compared people from a table with PERSON_COLUMNS."""
    database.execute(_COMPARED.format(target=target, described=_PEOPLE.format(source=source)))


@cache
def folding() -> tuple[str, str]:
    """Return the characters that are folded, and what each of them becomes."""
    like: list[str] = []
    same: list[str] = []
    for group in _LOOKALIKES.read_text(encoding="utf-8").split("\n"):
        if group and not group.startswith("#"):
            like += group[1:]
            same += group[0] * (len(group) - 1)
    if len(set(like)) < len(like) or set(like) & set(same) or not "".join([*like, *same]).isalpha():
        raise ConfigError(
            f'"{_LOOKALIKES.name}" has a character in two groups, or one that is no letter',
            fix="let each character stand once",
        )
    return "".join(like), "".join(same)
