-- Every version of one person in one assistance case that was ever landed, typed and judged.
{{ config(materialized='view') }}

with logged as (
    select * from {{ source('raw', 'civil_affairs__assisted_person') }}
),

typed as (
    select
        std.try_bigint(logged.assisted_person_id) as assisted_person_id,
        std.clean_code(logged.case_no) as case_no,
        valid.pid,
        vault.identifier_key(valid.pid) as identifier_key,
        std.clean_name(logged.name) as name,
        std.digits(logged.relation, 2) as relation,
        std.try_timestamp(logged.updated_at) as updated_at,
        array_remove(array[
            std.quarantine_reason('pid', logged.pid, valid.pid is null),
            std.quarantine_reason('case_no', logged.case_no, std.clean_code(logged.case_no) is null)
        ], null) as quarantine_reasons,
        logged._row_key,
        logged._row_hash,
        logged._op,
        logged._batch_id,
        logged._loaded_on
    from logged
    -- Each number is parsed once a row: offset 0 keeps the planner from repeating the call wherever its result is used.
    cross join lateral (
        select std.resident_id(logged.pid) as pid offset 0
    ) as valid
)

select
    *,
    cardinality(quarantine_reasons) = 0 as is_usable
from typed
