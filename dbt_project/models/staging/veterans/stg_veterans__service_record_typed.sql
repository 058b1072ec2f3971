-- Every version of one line of the veterans' ledger that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL cannot merge a view that has one into the query around it, and a day would cost a city.
-- The laterals are evaluated once a row: offset 0 keeps their results from being computed again wherever they are used.
select
    std.clean_code(logged.seq_no) as seq_no,
    std.clean_name(logged.name) as name,
    valid.pid,
    vault.identifier_key(valid.pid) as identifier_key,
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
    logged._row_hash,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'veterans__service_record') }} as logged
cross join lateral (
    select
        std.resident_id(logged.pid) as pid
    offset 0
) as valid
cross join lateral (
    select
        array_remove(array[
            std.quarantine_reason('pid', logged.pid, valid.pid is null)
        ], null) as quarantine_reasons
    offset 0
) as judged
