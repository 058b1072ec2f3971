-- Every version of one office held by a person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
select
    std.try_bigint(logged.officer_id) as officer_id,
    std.try_bigint(logged.entity_id) as entity_id,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.code_in(logged.role, '{法定代表人,经理,监事,股东}') as office_held,
    std.try_decimal(logged.share, 5, 2)::numeric(5, 2) as share_held,
    std.try_date(logged.started_on) as started_on,
    std.try_date_until(logged.ended_on) as ended_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'market_regulation__officer') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason('entity_id', logged.entity_id, std.try_bigint(logged.entity_id) is null),
    std.quarantine_reason('role', logged.role, std.code_in(logged.role, '{法定代表人,经理,监事,股东}') is null)
], null) as judged (quarantine_reasons)
