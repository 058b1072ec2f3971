-- Every version of one move of a hukou that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL cannot merge a view that has one into the query around it, and a day would cost a city.
-- The laterals are evaluated once a row: offset 0 keeps their results from being computed again wherever they are used.
select
    std.try_bigint(logged.move_id) as move_id,
    valid.pid,
    vault.identifier_key(valid.pid) as identifier_key,
    std.code_in(logged.move_type, '{迁入,迁出,市内}') as move_type,
    std.digits(logged.from_village_code, 12) as from_village_code,
    std.digits(logged.to_village_code, 12) as to_village_code,
    std.try_date(logged.moved_on) as moved_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._row_hash,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'police__move') }} as logged
cross join lateral (
    select
        std.resident_id(logged.pid) as pid
    offset 0
) as valid
cross join lateral (
    select
        array_remove(array[
            std.quarantine_reason('pid', logged.pid, valid.pid is null),
            std.quarantine_reason('move_type', logged.move_type, std.code_in(logged.move_type, '{迁入,迁出,市内}') is null),
            std.quarantine_reason('moved_on', logged.moved_on, std.try_date(logged.moved_on) is null)
        ], null) as quarantine_reasons
    offset 0
) as judged
