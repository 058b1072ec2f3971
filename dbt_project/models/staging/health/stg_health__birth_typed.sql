-- Every version of one birth certificate that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL cannot merge a view that has one into the query around it, and a day would cost a city.
-- The laterals are evaluated once a row: offset 0 keeps their results from being computed again wherever they are used.
select
    std.clean_code(logged.certificate_no) as certificate_no,
    valid.child_pid,
    vault.identifier_key(valid.child_pid) as child_identifier_key,
    std.clean_name(logged.child_name) as child_name,
    std.sex_code(logged.sex) as sex,
    std.try_date(logged.born_on) as born_on,
    valid.mother_pid,
    vault.identifier_key(valid.mother_pid) as mother_identifier_key,
    valid.father_pid,
    vault.identifier_key(valid.father_pid) as father_identifier_key,
    std.try_date(logged.registered_on) as registered_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._row_hash,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'health__birth') }} as logged
cross join lateral (
    select
        std.resident_id(logged.child_pid) as child_pid,
        std.resident_id(logged.mother_pid) as mother_pid,
        std.resident_id(logged.father_pid) as father_pid
    offset 0
) as valid
cross join lateral (
    select
        array_remove(array[
            std.quarantine_reason('child_pid', logged.child_pid, valid.child_pid is null),
            std.quarantine_reason('born_on', logged.born_on, std.try_date(logged.born_on) is null)
        ], null) as quarantine_reasons
    offset 0
) as judged
