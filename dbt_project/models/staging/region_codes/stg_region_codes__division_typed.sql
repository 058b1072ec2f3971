-- Every version of one administrative division that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.digits(logged.code, 12) as code,
    std.clean_text(logged.name) as name,
    std.code_in(logged.level, '{province,city,district,township,village}') as level,
    std.digits(logged.parent_code, 12) as parent_code,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'region_codes__division') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('code', logged.code, std.digits(logged.code, 12) is null),
    std.quarantine_reason('name', logged.name, std.clean_text(logged.name) is null),
    std.quarantine_reason(
        'level', logged.level, std.code_in(logged.level, '{province,city,district,township,village}') is null
    )
], null) as judged (quarantine_reasons)
