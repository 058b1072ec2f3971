-- Every version of one registration of a marriage or divorce that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.registration_no) as registration_no,
    std.code_in(logged.kind, '{结婚,离婚}') as kind,
    std.try_date(logged.registered_on) as registered_on,
    std.clean_name(logged.husband_name) as husband_name,
    husband.pid as husband_pid,
    vault.identifier_key(husband.pid) as husband_identifier_key,
    std.clean_name(logged.wife_name) as wife_name,
    wife.pid as wife_pid,
    vault.identifier_key(wife.pid) as wife_identifier_key,
    std.clean_text(logged.office) as office,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'marriage_registry__registration') }} as logged
cross join lateral std.resident_id(logged.husband_pid) as husband (pid)
cross join lateral std.resident_id(logged.wife_pid) as wife (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('kind', logged.kind, std.code_in(logged.kind, '{结婚,离婚}') is null),
    std.quarantine_reason('registered_on', logged.registered_on, std.try_date(logged.registered_on) is null),
    std.quarantine_reason('husband_pid', logged.husband_pid, husband.pid is null),
    std.quarantine_reason('wife_pid', logged.wife_pid, wife.pid is null)
], null) as judged (quarantine_reasons)
