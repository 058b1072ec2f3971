-- Every version of one registered change of an entity that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
select
    std.try_bigint(logged.change_id) as change_id,
    std.try_bigint(logged.entity_id) as entity_id,
    std.uscc(logged.uscc) as uscc,
    std.uscc_is_valid(logged.uscc) as uscc_is_valid,
    std.code_in(logged.item, '{名称变更,住所变更,法定代表人变更}') as item,
    std.clean_text(logged.before) as before_value,
    std.clean_text(logged.after) as after_value,
    std.try_date(logged.changed_on) as changed_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'market_regulation__change') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('entity_id', logged.entity_id, std.try_bigint(logged.entity_id) is null),
    std.quarantine_reason('item', logged.item, std.code_in(logged.item, '{名称变更,住所变更,法定代表人变更}') is null),
    std.quarantine_reason('changed_on', logged.changed_on, std.try_date(logged.changed_on) is null)
], null) as judged (quarantine_reasons)
