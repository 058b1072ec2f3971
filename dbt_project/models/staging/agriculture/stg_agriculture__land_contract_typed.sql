-- Every version of one contract of rural land that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.contract_no) as contract_no,
    std.digits(logged.village_code, 12) as village_code,
    std.digits(logged.village_code, 12) as region_code,
    std.clean_code(logged.household_no) as household_no,
    contractor.pid,
    coalesce(
        vault.identifier_key(contractor.pid), std.record_key('agriculture.land_contract', logged._row_key, '')
    ) as identifier_key,
    contractor.pid is not null as has_number,
    std.claimed_resident_id(logged.pid) as pid_claimed,
    std.clean_name(logged.name) as name,
    std.sex_code(logged.sex) as sex,
    birth.day as birth_date,
    cast(coalesce(date_part('year', birth.day), std.try_numeric(birth_year.number)) as integer) as birth_year,
    std.clean_name(logged.relative_name) as relative_name,
    case when std.clean_name(logged.relative_name) is not null then 'spouse' end as relative_kind,
    std.try_count(logged.parcels) as parcels,
    cast(std.try_decimal(logged.area_mu, 10, 2) as numeric(10, 2)) as area_mu,
    std.try_date(logged.term_from) as term_from,
    term.term_to,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'agriculture__land_contract') }} as logged
cross join lateral std.checked_resident_id(logged.pid) as contractor (pid)
-- A year alone is no date: try_date would make it none, or its first day.
cross join lateral std.try_date(logged.birth_date) as birth (day)
cross join lateral std.digits(logged.birth_date, 4) as birth_year (number)
cross join lateral std.try_date_until(logged.term_to) as term (term_to)
cross join lateral array_remove(array[
    std.quarantine_reason('contract_no', logged.contract_no, std.clean_code(logged.contract_no) is null),
    std.quarantine_reason('village_code', logged.village_code, std.digits(logged.village_code, 12) is null),
    std.quarantine_reason('name', logged.name, std.clean_name(logged.name) is null),
    std.quarantine_reason('area_mu', logged.area_mu, std.try_decimal(logged.area_mu, 10, 2) is null),
    std.quarantine_reason('term_to', logged.term_to, term.term_to is null)
], null) as judged (quarantine_reasons)
