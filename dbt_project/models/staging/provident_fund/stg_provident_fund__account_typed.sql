-- Every version of one account of one person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.account_no) as account_no,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.uscc(logged.employer_uscc) as employer_uscc,
    std.clean_text(logged.employer_name) as employer_name,
    std.try_date(logged.opened_on) as opened_on,
    std.try_amount(logged.monthly_deposit)::numeric(14, 2) as monthly_deposit,
    std.try_amount(logged.balance)::numeric(14, 2) as balance,
    std.month_code(logged.paid_until) as paid_until,
    std.code_in(logged.status, '{正常,封存,销户}') as status,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'provident_fund__account') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('account_no', logged.account_no, std.clean_code(logged.account_no) is null),
    std.quarantine_reason('pid', logged.pid, person.pid is null)
], null) as judged (quarantine_reasons)
