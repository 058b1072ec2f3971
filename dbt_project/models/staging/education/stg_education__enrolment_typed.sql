-- Every version of one time of a pupil on a school's roll that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.enrolment_no) as enrolment_no,
    person.pid,
    coalesce(
        vault.identifier_key(person.pid), std.record_key('education.enrolment', logged._row_key, '')
    ) as identifier_key,
    person.pid is not null as has_number,
    std.clean_name(logged.name) as name,
    std.sex_code(logged.sex) as sex,
    std.digits(logged.nation, 2) as nation,
    std.code_in(logged.hukou_type, '{1,2}') as hukou_type,
    std.clean_code(logged.school_code) as school_code,
    std.code_in(logged.grade, '{1,2,3,4,5,6,7,8,9,10,11,12}')::integer as grade,
    std.try_date(logged.entered_on) as entered_on,
    std.try_date(logged.ended_on) as ended_on,
    std.code_in(logged.status, '{在读,转出,辍学,毕业,离校}') as status,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'education__enrolment') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('enrolment_no', logged.enrolment_no, std.clean_code(logged.enrolment_no) is null),
    std.quarantine_reason('entered_on', logged.entered_on, std.try_date(logged.entered_on) is null),
    std.quarantine_reason('status', logged.status, std.code_in(logged.status, '{在读,转出,辍学,毕业,离校}') is null),
    std.quarantine_reason(
        'ended_on',
        logged.ended_on,
        std.clean_text(logged.ended_on) is not null
        and std.try_date(logged.ended_on) is null
    )
], null) as judged (quarantine_reasons)
