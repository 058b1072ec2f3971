-- Every version of one mortgage on one unit that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.mortgage_id) as mortgage_id,
    std.clean_code(logged.unit_no) as unit_no,
    std.home_key(logged.address) as home_key,
    std.clean_text(logged.address) as address,
    borrower.pid as borrower_pid,
    vault.identifier_key(borrower.pid) as borrower_identifier_key,
    std.clean_name(logged.borrower_name) as borrower_name,
    std.clean_text(logged.lender) as lender,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    std.try_date(logged.started_on) as started_on,
    std.try_date(logged.due_on) as due_on,
    std.try_date(logged.released_on) as released_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'real_estate__mortgage') }} as logged
cross join lateral std.resident_id(logged.borrower_pid) as borrower (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('mortgage_id', logged.mortgage_id, std.try_bigint(logged.mortgage_id) is null),
    std.quarantine_reason('address', logged.address, std.home_key(logged.address) is null),
    std.quarantine_reason('borrower_pid', logged.borrower_pid, borrower.pid is null)
], null) as judged (quarantine_reasons)
