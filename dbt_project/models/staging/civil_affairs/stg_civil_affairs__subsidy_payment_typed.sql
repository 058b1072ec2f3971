-- Every version of one payment of one award that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.payment_id) as payment_id,
    std.clean_code(logged.award_no) as award_no,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.month_code(logged.month) as month,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    std.try_date(logged.paid_on) as paid_on,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'civil_affairs__subsidy_payment') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('payment_id', logged.payment_id, std.try_bigint(logged.payment_id) is null),
    std.quarantine_reason('award_no', logged.award_no, std.clean_code(logged.award_no) is null),
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason('month', logged.month, std.month_code(logged.month) is null),
    std.quarantine_reason('amount', logged.amount, std.try_amount(logged.amount)::numeric(14, 2) is null)
], null) as judged (quarantine_reasons)
