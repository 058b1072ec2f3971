-- Every version of one line of the veterans' ledger that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.seq_no) as seq_no,
    std.clean_name(logged.name) as name,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.sex_code(logged.sex) as sex,
    std.try_date(logged.birth_date) as birth_date,
    std.try_date(logged.enlisted_on) as enlisted_on,
    std.clean_text(logged.enlisted_place) as enlisted_place,
    std.try_date(logged.discharged_on) as discharged_on,
    std.code_in(logged.discharge_kind, '{义务兵退役,士官复员,转业安置,军官转业}') as discharge_kind,
    std.clean_code(logged.unit_code) as unit_code,
    std.clean_text(logged.district_name) as district_name,
    std.clean_text(logged.township_name) as township_name,
    std.clean_code(logged.phone) as phone,
    std.clean_text(logged.remark) as remark,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'veterans__service_record') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null)
], null) as judged (quarantine_reasons)
