-- Every version of one registered enterprise that was ever landed, typed and judged.
{{ config(materialized='view') }}

with logged as (
    select * from {{ source('raw', 'enterprise_registry__enterprise') }}
),

typed as (
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
        array_remove(array[
            std.quarantine_reason('name', logged.name, nullif(std.clean_text(logged.name), 'N/A') is null and std.uscc(logged.uscc) is null)
        ], null) as quarantine_reasons,
        logged._row_key,
        logged._row_hash,
        logged._op,
        logged._batch_id,
        logged._loaded_on
    from logged
)

select
    *,
    cardinality(quarantine_reasons) = 0 as is_usable
from typed
