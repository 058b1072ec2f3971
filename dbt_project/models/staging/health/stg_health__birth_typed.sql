-- Every version of one birth certificate that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.certificate_no) as certificate_no,
    child.pid as child_pid,
    vault.identifier_key(child.pid) as child_identifier_key,
    std.clean_name(logged.child_name) as child_name,
    std.sex_code(logged.sex) as sex,
    std.try_date(logged.born_on) as born_on,
    mother.pid as mother_pid,
    vault.identifier_key(mother.pid) as mother_identifier_key,
    father.pid as father_pid,
    vault.identifier_key(father.pid) as father_identifier_key,
    std.try_date(logged.registered_on) as registered_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'health__birth') }} as logged
cross join lateral std.resident_id(logged.child_pid) as child (pid)
cross join lateral std.resident_id(logged.mother_pid) as mother (pid)
cross join lateral std.resident_id(logged.father_pid) as father (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('child_pid', logged.child_pid, child.pid is null),
    std.quarantine_reason('born_on', logged.born_on, std.try_date(logged.born_on) is null)
], null) as judged (quarantine_reasons)
