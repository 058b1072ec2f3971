-- Every version of one firm, shop or cooperative that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
select
    std.try_bigint(logged.entity_id) as entity_id,
    std.uscc(logged.uscc) as uscc,
    std.uscc_is_valid(logged.uscc) as uscc_is_valid,
    std.digits(logged.registration_no, 15) as registration_no,
    std.clean_text(logged.name) as name,
    std.code_in(logged.entity_kind, '{企业,个体工商户,农民专业合作社}') as entity_kind,
    std.clean_text(logged.legal_form) as legal_form,
    std.clean_name(logged.representative_name) as representative_name,
    representative.pid as representative_pid,
    vault.identifier_key(representative.pid) as representative_identifier_key,
    std.try_date(logged.established_on) as established_on,
    std.try_date_until(logged.ended_on) as ended_on,
    std.code_in(logged.status, '{存续,注销,吊销}') as status,
    std.clean_text(logged.capital) as capital,
    std.capital_amount(logged.capital)::numeric(14, 2) as capital_amount,
    std.capital_currency(logged.capital) as capital_currency,
    std.capital_yuan(logged.capital)::numeric(14, 2) as capital_yuan,
    std.clean_text(logged.industry) as industry,
    std.clean_text(logged.address) as address,
    std.address_key(logged.address) as address_key,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'market_regulation__entity') }} as logged
cross join lateral std.resident_id(logged.representative_pid) as representative (pid)
cross join lateral array_remove(array[
    std.quarantine_reason(
        'name', logged.name,
        num_nonnulls(std.uscc(logged.uscc), std.digits(logged.registration_no, 15), std.clean_text(logged.name)) = 0
    )
], null) as judged (quarantine_reasons)
