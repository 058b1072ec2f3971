-- Every version of one insurance of a person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL cannot merge a view that has one into the query around it, and a day would cost a city.
-- The laterals are evaluated once a row: offset 0 keeps their results from being computed again wherever they are used.
select
    std.try_bigint(logged.insurance_id) as insurance_id,
    valid.pid,
    vault.identifier_key(valid.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.code_in(logged.insurance_kind, '{城乡居民养老,职工养老}') as insurance_kind,
    std.code_in(logged.status, '{参保,领取,停保}') as status,
    std.try_date(logged.started_on) as started_on,
    std.try_date(logged.ended_on) as ended_on,
    std.try_amount(logged.monthly_benefit)::numeric(14, 2) as monthly_benefit,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._row_hash,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'social_security__insurance') }} as logged
cross join lateral (
    select
        std.resident_id(logged.pid) as pid
    offset 0
) as valid
cross join lateral (
    select
        array_remove(array[
            std.quarantine_reason('pid', logged.pid, valid.pid is null),
            std.quarantine_reason('insurance_kind', logged.insurance_kind, std.code_in(logged.insurance_kind, '{城乡居民养老,职工养老}') is null)
        ], null) as quarantine_reasons
    offset 0
) as judged
