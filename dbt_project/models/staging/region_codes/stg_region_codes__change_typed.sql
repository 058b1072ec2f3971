-- Every version of one abolished division and its successor that was ever landed, typed and judged.
{{ config(materialized='view') }}

with logged as (
    select * from {{ source('raw', 'region_codes__change') }}
),

typed as (
    select
        std.digits(logged.old_code, 12) as old_code,
        std.clean_text(logged.old_name) as old_name,
        std.try_date_until(logged.valid_until) as valid_until,
        std.digits(logged.new_code, 12) as new_code,
        std.clean_text(logged.new_name) as new_name,
        std.clean_text(logged.what) as what,
        array_remove(array[
            std.quarantine_reason('old_code', logged.old_code, std.digits(logged.old_code, 12) is null),
            std.quarantine_reason('new_code', logged.new_code, std.digits(logged.new_code, 12) is null),
            std.quarantine_reason('valid_until', logged.valid_until, std.try_date_until(logged.valid_until) is null)
        ], null) as quarantine_reasons,
        logged._row_key,
        logged._row_hash,
        logged._op,
        logged._batch_id,
        logged._loaded_on
    from logged
)

select
    *,
    cardinality(quarantine_reasons) = 0 as is_usable
from typed
