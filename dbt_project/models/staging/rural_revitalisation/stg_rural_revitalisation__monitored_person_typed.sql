-- Every version of one person on the watch list against poverty that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.person_no) as person_no,
    std.clean_code(logged.household_no) as household_no,
    person.pid,
    coalesce(
        vault.identifier_key(person.pid), std.record_key('rural_revitalisation.monitored_person', logged._row_key, '')
    ) as identifier_key,
    person.pid is not null as has_number,
    case when logged.pid ~ '[0-9０-９]' then std.claimed_resident_id(logged.pid) end as pid_claimed,
    std.clean_name(logged.name) as name,
    std.sex_code(logged.sex) as sex,
    std.try_date(logged.birth_date) as birth_date,
    substring(std.clean_code(logged.birth_date) from '^(?:19|20)[0-9]{2}')::integer as birth_year,
    coalesce(
        std.digits(logged.village_code, 12), std.digits(logged.village_code, 9), std.digits(logged.village_code, 6)
    ) as region_code,
    std.clean_name(logged.head_name) as relative_name,
    case when std.clean_name(logged.head_name) is not null then '户主' end as relative_kind,
    std.clean_text(logged.district_name) as district_name,
    std.clean_text(logged.township_name) as township_name,
    std.code_in(logged.kind, '{脱贫不稳定户,边缘易致贫户,突发严重困难户}') as kind,
    std.clean_text(logged.risk) as risk,
    std.try_date(logged.identified_on) as identified_on,
    std.try_date(logged.cleared_on) as cleared_on,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'rural_revitalisation__monitored_person') }} as logged
cross join lateral std.checked_resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('person_no', logged.person_no, std.clean_code(logged.person_no) is null),
    std.quarantine_reason('name', logged.name, std.clean_name(logged.name) is null),
    std.quarantine_reason(
        'cleared_on',
        logged.cleared_on,
        std.clean_text(logged.cleared_on) is not null
        and std.try_date(logged.cleared_on) is null
    )
], null) as judged (quarantine_reasons)
