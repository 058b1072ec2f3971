-- Every version of one degree of a person that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.certificate_no) as certificate_no,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.code_in(logged.level, '{大学专科,大学本科,硕士研究生,博士研究生}') as level,
    std.clean_text(logged.college) as college,
    std.try_date(logged.graduated_on) as graduated_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'education__degree') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('certificate_no', logged.certificate_no, std.clean_code(logged.certificate_no) is null),
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason('level', logged.level, std.code_in(logged.level, '{大学专科,大学本科,硕士研究生,博士研究生}') is null)
], null) as judged (quarantine_reasons)
