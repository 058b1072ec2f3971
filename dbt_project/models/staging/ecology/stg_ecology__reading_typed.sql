-- Every version of one measured discharge that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.reading_no) as reading_no,
    std.clean_code(logged.permit_no) as permit_no,
    std.clean_text(logged.pollutant) as pollutant,
    std.try_date(logged.measured_on) as measured_on,
    std.try_decimal(logged.value, 12, 2)::numeric(12, 2) as value,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'ecology__reading') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('permit_no', logged.permit_no, std.clean_code(logged.permit_no) is null),
    std.quarantine_reason('measured_on', logged.measured_on, std.try_date(logged.measured_on) is null),
    std.quarantine_reason('value', logged.value, std.try_decimal(logged.value, 12, 2) is null)
], null) as judged (quarantine_reasons)
