-- Every version of one registered enterprise that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    nullif(std.clean_text(logged.name), 'N/A') as name,
    std.uscc(logged.uscc) as uscc,
    std.uscc_is_valid(logged.uscc) as uscc_is_valid,
    std.try_date(logged.established_on) as established_on,
    nullif(std.clean_text(logged.enterprise_type), 'N/A') as enterprise_type,
    nullif(std.clean_text(logged.capital), 'N/A') as capital,
    std.capital_amount(logged.capital)::numeric(14, 2) as capital_amount,
    std.capital_currency(logged.capital) as capital_currency,
    std.capital_yuan(logged.capital)::numeric(14, 2) as capital_yuan,
    nullif(std.clean_text(logged.scope), 'N/A') as scope,
    nullif(std.clean_text(logged.province), 'N/A') as province,
    nullif(std.clean_text(logged.city), 'N/A') as city,
    nullif(std.clean_text(logged.address), 'N/A') as address,
    std.address_key(nullif(std.clean_text(logged.address), 'N/A')) as address_key,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'enterprise_registry__enterprise') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason(
        'name', logged.name, nullif(std.clean_text(logged.name), 'N/A') is null and std.uscc(logged.uscc) is null
    )
], null) as judged (quarantine_reasons)
