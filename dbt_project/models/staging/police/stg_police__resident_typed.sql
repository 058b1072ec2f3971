-- Every version of one registered resident that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.resident_id) as resident_id,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.sex_code(logged.sex) as sex,
    std.try_date(logged.birth_date) as birth_date,
    std.digits(logged.nation, 2) as nation,
    std.code_in(logged.hukou_type, '{1,2}') as hukou_type,
    std.clean_code(logged.household_no) as household_no,
    std.digits(logged.relation, 2) as relation,
    std.digits(logged.village_code, 12) as village_code,
    std.clean_text(logged.address) as address,
    std.clean_code(logged.phone) as phone,
    std.code_in(logged.status, '{1,0}') as status,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'police__resident') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null)
], null) as judged (quarantine_reasons)
