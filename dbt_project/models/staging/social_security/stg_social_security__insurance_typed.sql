-- Every version of one insurance of a person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.insurance_id) as insurance_id,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.digits(logged.nation, 2) as nation,
    std.code_in(logged.hukou_type, '{1,2}') as hukou_type,
    std.code_in(logged.insurance_kind, '{城乡居民养老,职工养老}') as insurance_kind,
    std.code_in(logged.status, '{参保,领取,停保}') as status,
    std.try_date(logged.started_on) as started_on,
    term.ended_on,
    std.try_amount(logged.monthly_benefit)::numeric(14, 2) as monthly_benefit,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'social_security__insurance') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral std.try_date_until(logged.ended_on) as term (ended_on)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason(
        'insurance_kind', logged.insurance_kind, std.code_in(logged.insurance_kind, '{城乡居民养老,职工养老}') is null
    ),
    std.quarantine_reason(
        'ended_on', logged.ended_on, std.clean_text(logged.ended_on) is not null and term.ended_on is null
    )
], null) as judged (quarantine_reasons)
