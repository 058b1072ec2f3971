-- Every version of one certificate of a disabled person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.certificate_no) as certificate_no,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.sex_code(logged.sex) as sex,
    std.code_in(logged.disability_kind, '{视力,听力,言语,肢体,智力,精神,多重}') as disability_kind,
    std.code_in(logged.grade, '{1,2,3,4}') as grade,
    std.try_date(logged.issued_on) as issued_on,
    std.try_date(logged.valid_until) as valid_until,
    std.try_date(logged.revoked_on) as revoked_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'disabled_federation__certificate') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('certificate_no', logged.certificate_no, std.clean_code(logged.certificate_no) is null),
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason(
        'revoked_on',
        logged.revoked_on,
        std.clean_text(logged.revoked_on) is not null
        and std.try_date(logged.revoked_on) is null
    )
], null) as judged (quarantine_reasons)
