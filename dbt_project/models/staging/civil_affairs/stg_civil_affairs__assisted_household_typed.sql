-- Every version of one assistance case of a household that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.case_no) as case_no,
    std.clean_code(logged.household_no) as household_no,
    head.pid as head_pid,
    vault.identifier_key(head.pid) as head_identifier_key,
    std.clean_name(logged.head_name) as head_name,
    std.code_in(logged.kind, '{低保,特困,低保边缘}') as kind,
    std.digits(logged.township_code, 9) as township_code,
    std.try_date(logged.approved_on) as approved_on,
    term.ended_on,
    std.try_amount(logged.monthly_amount)::numeric(14, 2) as monthly_amount,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'civil_affairs__assisted_household') }} as logged
cross join lateral std.resident_id(logged.head_pid) as head (pid)
cross join lateral std.try_date_until(logged.ended_on) as term (ended_on)
cross join lateral array_remove(array[
    std.quarantine_reason('case_no', logged.case_no, std.clean_code(logged.case_no) is null),
    std.quarantine_reason('kind', logged.kind, std.code_in(logged.kind, '{低保,特困,低保边缘}') is null),
    std.quarantine_reason(
        'ended_on', logged.ended_on, std.clean_text(logged.ended_on) is not null and term.ended_on is null
    )
], null) as judged (quarantine_reasons)
