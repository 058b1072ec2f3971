-- Every version of one registered taxpayer that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
select
    std.try_bigint(logged.taxpayer_id) as taxpayer_id,
    std.uscc(logged.taxpayer_no) as uscc,
    std.uscc_is_valid(logged.taxpayer_no) as uscc_is_valid,
    std.digits(logged.taxpayer_no, 15) as registration_no,
    std.clean_text(logged.name) as name,
    std.code_in(logged.taxpayer_kind, '{一般纳税人,小规模纳税人}') as taxpayer_kind,
    std.code_in(logged.credit_level, '{A,B,M,C,D}') as credit_level,
    std.try_date(logged.registered_on) as registered_on,
    std.code_in(logged.status, '{存续,注销,吊销}') as status,
    std.clean_text(logged.address) as address,
    std.address_key(logged.address) as address_key,
    std.try_amount(logged.arrears)::numeric(14, 2) as arrears,
    std.try_date(logged.arrears_since) as arrears_since,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'taxation__taxpayer') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason(
        'taxpayer_no', logged.taxpayer_no,
        num_nonnulls(std.uscc(logged.taxpayer_no), std.digits(logged.taxpayer_no, 15), std.clean_text(logged.name)) = 0
    )
], null) as judged (quarantine_reasons)
