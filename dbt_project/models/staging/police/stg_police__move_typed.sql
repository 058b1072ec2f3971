-- Every version of one move of a hukou that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.move_id) as move_id,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.code_in(logged.move_type, '{迁入,迁出,市内}') as move_type,
    std.digits(logged.from_village_code, 12) as from_village_code,
    std.digits(logged.to_village_code, 12) as to_village_code,
    std.try_date(logged.moved_on) as moved_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'police__move') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason('move_type', logged.move_type, std.code_in(logged.move_type, '{迁入,迁出,市内}') is null),
    std.quarantine_reason('moved_on', logged.moved_on, std.try_date(logged.moved_on) is null)
], null) as judged (quarantine_reasons)
