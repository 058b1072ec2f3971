-- Every version of one assistance case of a household that was ever landed, typed and judged.
{{ config(materialized='view') }}

with logged as (
    select * from {{ source('raw', 'civil_affairs__assisted_household') }}
),

typed as (
    select
        std.clean_code(logged.case_no) as case_no,
        std.clean_code(logged.household_no) as household_no,
        valid.head_pid,
        vault.identifier_key(valid.head_pid) as head_identifier_key,
        std.clean_name(logged.head_name) as head_name,
        std.code_in(logged.kind, '{低保,特困,低保边缘}') as kind,
        std.digits(logged.township_code, 9) as township_code,
        std.try_date(logged.approved_on) as approved_on,
        std.try_date(logged.ended_on) as ended_on,
        std.try_amount(logged.monthly_amount)::numeric(14, 2) as monthly_amount,
        std.try_timestamp(logged.updated_at) as updated_at,
        array_remove(array[
            std.quarantine_reason('case_no', logged.case_no, std.clean_code(logged.case_no) is null),
            std.quarantine_reason('kind', logged.kind, std.code_in(logged.kind, '{低保,特困,低保边缘}') is null)
        ], null) as quarantine_reasons,
        logged._row_key,
        logged._row_hash,
        logged._op,
        logged._batch_id,
        logged._loaded_on
    from logged
    -- Each number is parsed once a row: offset 0 keeps the planner from repeating the call wherever its result is used.
    cross join lateral (
        select std.resident_id(logged.head_pid) as head_pid offset 0
    ) as valid
)

select
    *,
    cardinality(quarantine_reasons) = 0 as is_usable
from typed
