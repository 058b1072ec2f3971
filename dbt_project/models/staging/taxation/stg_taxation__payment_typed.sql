-- Every version of one payment of tax that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
select
    std.try_bigint(logged.payment_no) as payment_no,
    std.uscc(logged.taxpayer_no) as uscc,
    std.uscc_is_valid(logged.taxpayer_no) as uscc_is_valid,
    std.digits(logged.taxpayer_no, 15) as registration_no,
    -- A mistyped code names nobody, or somebody else: the name beside it says more. A person goes by a key.
    coalesce(
        case when std.uscc_is_valid(logged.taxpayer_no) then 'uscc:' || std.uscc(logged.taxpayer_no) end,
        vault.identifier_key(std.checked_resident_id(logged.taxpayer_no))::text,
        'registration_no:' || std.digits(logged.taxpayer_no, 15),
        'name:' || std.clean_text(logged.taxpayer_name),
        'uscc:' || std.uscc(logged.taxpayer_no)
    ) as taxpayer_identifier,
    std.clean_text(logged.taxpayer_name) as taxpayer_name,
    std.code_in(logged.tax, '{增值税,企业所得税,个人所得税}') as tax,
    std.month_code(logged.period) as period,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    std.try_date(logged.due_on) as due_on,
    std.try_date(logged.paid_on) as paid_on,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'taxation__payment') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason(
        'taxpayer_no', logged.taxpayer_no,
        num_nonnulls(
            std.uscc(logged.taxpayer_no),
            std.checked_resident_id(logged.taxpayer_no),
            std.digits(logged.taxpayer_no, 15),
            std.clean_text(logged.taxpayer_name)
        )
        = 0
    ),
    std.quarantine_reason('amount', logged.amount, std.try_amount(logged.amount) is null),
    std.quarantine_reason('period', logged.period, std.month_code(logged.period) is null)
], null) as judged (quarantine_reasons)
