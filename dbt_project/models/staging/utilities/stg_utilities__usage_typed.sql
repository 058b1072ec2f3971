-- Every version of one bill of water or gas for one month that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.bill_no) as bill_no,
    std.clean_code(logged.account_no) as account_no,
    'utility-' || std.clean_code(logged.account_no) as account_key,
    std.month_code(logged.month) as month,
    std.try_amount(logged.quantity)::numeric(14, 2) as quantity,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'utilities__usage') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('bill_no', logged.bill_no, std.clean_code(logged.bill_no) is null),
    std.quarantine_reason('account_no', logged.account_no, std.clean_code(logged.account_no) is null),
    std.quarantine_reason('month', logged.month, std.month_code(logged.month) is null),
    std.quarantine_reason('quantity', logged.quantity, std.try_amount(logged.quantity) is null)
], null) as judged (quarantine_reasons)
