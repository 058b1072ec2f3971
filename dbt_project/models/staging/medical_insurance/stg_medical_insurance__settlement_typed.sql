-- Every version of one settlement of medical insurance that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.settlement_no) as settlement_no,
    person.pid,
    coalesce(
        vault.identifier_key(person.pid), std.record_key('medical_insurance.settlement', logged._row_key, '')
    ) as identifier_key,
    person.pid is not null as has_number,
    std.clean_name(logged.name) as name,
    std.clean_code(logged.facility_code) as facility_code,
    std.code_in(logged.kind, '{门诊,住院}') as kind,
    upper(std.clean_code(logged.diagnosis_code)) as diagnosis_code,
    std.try_date(logged.admitted_on) as admitted_on,
    settlement.settled_on,
    std.try_amount(logged.total_amount)::numeric(14, 2) as total_amount,
    fund.paid::numeric(14, 2) as fund_paid,
    own.paid::numeric(14, 2) as self_paid,
    std.code_in(logged.status, '{正常,冲销}') as status,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'medical_insurance__settlement') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral std.try_date(logged.settled_on) as settlement (settled_on)
cross join lateral std.try_amount(logged.fund_paid) as fund (paid)
cross join lateral std.try_amount(logged.self_paid) as own (paid)
cross join lateral array_remove(array[
    std.quarantine_reason('settlement_no', logged.settlement_no, std.clean_code(logged.settlement_no) is null),
    std.quarantine_reason('settled_on', logged.settled_on, settlement.settled_on is null),
    std.quarantine_reason('fund_paid', logged.fund_paid, fund.paid is null),
    std.quarantine_reason('self_paid', logged.self_paid, own.paid is null)
], null) as judged (quarantine_reasons)
