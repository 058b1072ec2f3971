-- Every version of one loan of one person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.loan_no) as loan_no,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.clean_code(logged.unit_no) as unit_no,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    std.try_amount(logged.balance)::numeric(14, 2) as balance,
    std.try_date(logged.started_on) as started_on,
    std.try_bigint(logged.months) as months,
    std.try_bigint(logged.overdue_months) as overdue_months,
    std.try_date(logged.ended_on) as ended_on,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'provident_fund__loan') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('loan_no', logged.loan_no, std.clean_code(logged.loan_no) is null),
    std.quarantine_reason('pid', logged.pid, person.pid is null)
], null) as judged (quarantine_reasons)
