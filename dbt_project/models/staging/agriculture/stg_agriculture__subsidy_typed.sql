-- Every version of one payment of a farm subsidy that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.clean_code(logged.subsidy_no) as subsidy_no,
    std.clean_text(logged.subsidy_kind) as subsidy_kind,
    std.year_code(logged.year) as year,
    std.clean_text(logged.season) as season,
    std.clean_code(logged.contract_no) as contract_no,
    person.pid,
    receiver.identifier_key,
    person.pid is not null as has_number,
    std.clean_name(logged.name) as name,
    coalesce(std.clean_code(logged.contract_no), cast(receiver.identifier_key as text)) as claim_key,
    std.digits(logged.village_code, 12) as village_code,
    cast(std.try_decimal(logged.claimed_mu, 10, 2) as numeric(10, 2)) as claimed_mu,
    cast(std.try_amount(logged.amount) as numeric(14, 2)) as amount,
    std.try_date(logged.paid_on) as paid_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'agriculture__subsidy') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join
    lateral (values (coalesce(
        vault.identifier_key(person.pid), std.record_key('agriculture.subsidy', logged._row_key, '')
    ))) as receiver (identifier_key)
cross join lateral array_remove(array[
    std.quarantine_reason('subsidy_no', logged.subsidy_no, std.clean_code(logged.subsidy_no) is null),
    std.quarantine_reason('year', logged.year, std.year_code(logged.year) is null),
    std.quarantine_reason('claimed_mu', logged.claimed_mu, std.try_decimal(logged.claimed_mu, 10, 2) is null)
], null) as judged (quarantine_reasons)
