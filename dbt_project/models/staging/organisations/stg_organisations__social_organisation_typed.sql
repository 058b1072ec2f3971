-- Every version of one social organisation that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
select
    std.clean_text(logged.certificate_no) as certificate_no,
    std.uscc(logged.uscc) as uscc,
    std.uscc_is_valid(logged.uscc) as uscc_is_valid,
    std.clean_text(logged.name) as name,
    std.code_in(logged.form, '{社会团体,民办非企业单位,基金会}') as form,
    std.clean_name(logged.representative_name) as representative_name,
    std.try_date(logged.established_on) as established_on,
    std.code_in(logged.status, '{存续,注销,吊销}') as status,
    std.clean_text(logged.address) as address,
    std.address_key(logged.address) as address_key,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'organisations__social_organisation') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason(
        'name', logged.name,
        std.uscc(logged.uscc) is null and std.clean_text(logged.name) is null
    )
], null) as judged (quarantine_reasons)
