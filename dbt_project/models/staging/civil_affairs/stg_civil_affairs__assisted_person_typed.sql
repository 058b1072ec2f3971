-- Every version of one person in one assistance case that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL cannot merge a view that has one into the query around it, and a day would cost a city.
-- The laterals are evaluated once a row: offset 0 keeps their results from being computed again wherever they are used.
select
    std.try_bigint(logged.assisted_person_id) as assisted_person_id,
    std.clean_code(logged.case_no) as case_no,
    valid.pid,
    vault.identifier_key(valid.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.digits(logged.relation, 2) as relation,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._row_hash,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'civil_affairs__assisted_person') }} as logged
cross join lateral (
    select
        std.resident_id(logged.pid) as pid
    offset 0
) as valid
cross join lateral (
    select
        array_remove(array[
            std.quarantine_reason('pid', logged.pid, valid.pid is null),
            std.quarantine_reason('case_no', logged.case_no, std.clean_code(logged.case_no) is null)
        ], null) as quarantine_reasons
    offset 0
) as judged
