-- Every version of one digitised page of the marriage archive that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.scan_no) as scan_no,
    std.clean_code(logged.archive_no) as archive_no,
    std.clean_text(logged.volume) as volume,
    std.try_count(logged.generation) as generation,
    std.code_in(logged.kind, '{结婚,离婚,复婚}') as kind,
    registered.registered_on,
    std.clean_text(logged.office) as office,
    std.try_date(logged.scanned_on) as scanned_on,
    {% for role, sex in (('husband', '1'), ('wife', '2')) -%}
    coalesce(
        vault.identifier_key({{ role }}.pid), std.record_key('marriage_archive.record', logged._row_key, '{{ role }}')
    ) as {{ role }}_identifier_key,
    {{ role }}.pid is not null as {{ role }}_has_number,
    {{ role }}.pid as {{ role }}_pid,
    std.claimed_resident_id(logged.{{ role }}_pid) as {{ role }}_pid_claimed,
    std.clean_name(logged.{{ role }}_name) as {{ role }}_name,
    '{{ sex }}' as {{ role }}_sex,
    {{ role }}_born.birth_date as {{ role }}_birth_date,
    cast(coalesce(
        cast({{ role }}_year.stated as numeric),
        extract(year from registered.registered_on) - {{ role }}_age.years
    ) as integer) as {{ role }}_birth_year,
    case
        when {{ role }}_born.birth_date is not null then 'day'
        when {{ role }}_year.stated is not null then 'year'
        when {{ role }}_age.years is not null and registered.registered_on is not null then 'age'
    end as {{ role }}_birth_precision,
    std.clean_text(logged.{{ role }}_nation) as {{ role }}_nation,
    std.clean_text(logged.{{ role }}_address) as {{ role }}_address,
    std.clean_text(logged.{{ role }}_work_unit) as {{ role }}_work_unit,
    std.clean_name(logged.{{ 'wife' if role == 'husband' else 'husband' }}_name) as {{ role }}_relative_name,
    '配偶' as {{ role }}_relative_kind,
    std.try_numeric(logged.{{ role }}_name_confidence) as {{ role }}_name_confidence,
    std.try_numeric(logged.{{ role }}_pid_confidence) as {{ role }}_pid_confidence,
    std.try_numeric(logged.{{ role }}_birth_date_confidence) as {{ role }}_birth_date_confidence,
    {% endfor -%}
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'marriage_archive__record') }} as logged
cross join lateral std.checked_resident_id(logged.husband_pid) as husband (pid)
cross join lateral std.checked_resident_id(logged.wife_pid) as wife (pid)
cross join lateral std.try_date(logged.registered_on) as registered (registered_on)
cross join lateral std.try_date(logged.husband_birth_date) as husband_born (birth_date)
cross join lateral regexp_substr(logged.husband_birth_date, '^(18|19|20)\d\d(?=\D|\d{4}$|$)') as husband_year (stated)
cross join lateral std.try_age(logged.husband_age) as husband_age (years)
cross join lateral std.try_date(logged.wife_birth_date) as wife_born (birth_date)
cross join lateral regexp_substr(logged.wife_birth_date, '^(18|19|20)\d\d(?=\D|\d{4}$|$)') as wife_year (stated)
cross join lateral std.try_age(logged.wife_age) as wife_age (years)
-- The archive begins with the republic and ends where the registry begins: another year was misread.
cross join lateral array_remove(array[
    std.quarantine_reason('archive_no', logged.archive_no, std.clean_code(logged.archive_no) is null),
    std.quarantine_reason('kind', logged.kind, std.code_in(logged.kind, '{结婚,离婚,复婚}') is null),
    std.quarantine_reason(
        'registered_on',
        logged.registered_on,
        coalesce(registered.registered_on not between date '1949-10-01' and date '2015-12-31', true)
    ),
    std.quarantine_reason('husband_name', logged.husband_name, std.clean_name(logged.husband_name) is null),
    std.quarantine_reason('wife_name', logged.wife_name, std.clean_name(logged.wife_name) is null)
], null) as judged (quarantine_reasons)
