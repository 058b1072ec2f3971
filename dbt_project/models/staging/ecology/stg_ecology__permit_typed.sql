-- Every version of one discharge permit that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.permit_no) as permit_no,
    std.uscc(logged.uscc) as uscc,
    std.clean_text(logged.name) as name,
    std.clean_text(logged.address) as address,
    std.address_key(logged.address) as address_key,
    std.clean_text(logged.pollutant) as pollutant,
    std.clean_text(logged.unit) as unit,
    std.try_decimal(logged.limit_value, 12, 2)::numeric(12, 2) as limit_value,
    std.try_date(logged.granted_on) as granted_on,
    std.try_date(logged.expires_on) as expires_on,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'ecology__permit') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('permit_no', logged.permit_no, std.clean_code(logged.permit_no) is null)
], null) as judged (quarantine_reasons)
