-- Every version of one cremation that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.cremation_no) as cremation_no,
    person.pid,
    coalesce(
        vault.identifier_key(person.pid), std.record_key('funeral.cremation', logged._row_key, '')
    ) as identifier_key,
    person.pid is not null as has_number,
    std.claimed_resident_id(logged.pid) as pid_claimed,
    std.clean_name(logged.name) as name,
    std.sex_code(logged.sex) as sex,
    std.try_date(logged.birth_date) as birth_date,
    cast(coalesce(
        cast(birth_year.stated as numeric),
        extract(year from coalesce(std.try_date(logged.died_on), std.try_date(logged.cremated_on)))
        - std.try_age(logged.age)
    ) as integer) as birth_year,
    std.try_date(logged.died_on) as died_on,
    std.try_date(logged.cremated_on) as cremated_on,
    std.clean_text(logged.address) as address,
    cast(null as text) as relative_name,
    cast(null as text) as relative_kind,
    std.clean_text(logged.contact_relation) as contact_relation,
    std.clean_text(logged.funeral_home) as funeral_home,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'funeral__cremation') }} as logged
cross join lateral std.checked_resident_id(logged.pid) as person (pid)
cross join lateral regexp_substr(logged.birth_date, '^(18|19|20)\d\d(?=\D|\d{4}$|$)') as birth_year (stated)
cross join lateral array_remove(array[
    std.quarantine_reason('name', logged.name, std.clean_name(logged.name) is null),
    std.quarantine_reason('cremated_on', logged.cremated_on, std.try_date(logged.cremated_on) is null)
], null) as judged (quarantine_reasons)
