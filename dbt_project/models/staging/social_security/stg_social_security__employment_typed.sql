-- Every version of one employment of a person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.employment_id) as employment_id,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.clean_text(logged.employer_name) as employer_name,
    std.uscc(logged.employer_uscc) as employer_uscc,
    std.try_date(logged.started_on) as started_on,
    std.try_date_until(logged.ended_on) as ended_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'social_security__employment') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null)
], null) as judged (quarantine_reasons)
