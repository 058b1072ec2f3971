-- Every version of one facility of medical insurance that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.facility_id) as facility_id,
    std.clean_code(logged.facility_code) as facility_code,
    std.clean_text(logged.name) as name,
    std.code_in(logged.kind, '{综合医院,中医医院,卫生院,社区卫生服务中心}') as kind,
    std.code_in(logged.level, '{一级,二级,三级}') as level,
    std.digits(logged.township_code, 9) as township_code,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'medical_insurance__facility') }} as logged
cross join lateral array_remove(array[
    std.quarantine_reason('facility_id', logged.facility_id, std.try_bigint(logged.facility_id) is null),
    std.quarantine_reason('facility_code', logged.facility_code, std.clean_code(logged.facility_code) is null)
], null) as judged (quarantine_reasons)
