-- Every version of one administrative division that was ever landed, typed and judged.
{{ config(materialized='view') }}

with logged as (
    select * from {{ source('raw', 'region_codes__division') }}
),

typed as (
    select
        std.digits(logged.code, 12) as code,
        std.clean_text(logged.name) as name,
        std.code_in(logged.level, '{province,city,district,township,village}') as level,
        std.digits(logged.parent_code, 12) as parent_code,
        array_remove(array[
            std.quarantine_reason('code', logged.code, std.digits(logged.code, 12) is null),
            std.quarantine_reason('name', logged.name, std.clean_text(logged.name) is null),
            std.quarantine_reason('level', logged.level, std.code_in(logged.level, '{province,city,district,township,village}') is null)
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
