-- Every version of one abolished division and its successor that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.digits(logged.old_code, 12) as old_code,
    std.clean_text(logged.old_name) as old_name,
    std.try_date_until(logged.valid_until) as valid_until,
    std.digits(logged.new_code, 12) as new_code,
    std.clean_text(logged.new_name) as new_name,
    std.clean_text(logged.what) as what,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'region_codes__change') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('old_code', logged.old_code, std.digits(logged.old_code, 12) is null),
    std.quarantine_reason('new_code', logged.new_code, std.digits(logged.new_code, 12) is null),
    std.quarantine_reason('valid_until', logged.valid_until, std.try_date_until(logged.valid_until) is null)
], null) as judged (quarantine_reasons)
