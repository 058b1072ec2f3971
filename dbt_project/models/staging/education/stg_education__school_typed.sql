-- Every version of one school that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.school_id) as school_id,
    std.clean_code(logged.school_code) as school_code,
    std.clean_text(logged.name) as name,
    std.code_in(logged.stage, '{小学,初中,高中}') as school_stage,
    std.digits(logged.township_code, 9) as township_code,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'education__school') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('school_id', logged.school_id, std.try_bigint(logged.school_id) is null),
    std.quarantine_reason('school_code', logged.school_code, std.clean_code(logged.school_code) is null)
], null) as judged (quarantine_reasons)
