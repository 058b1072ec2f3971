-- Every version of one shelter that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.code) as code,
    std.clean_text(logged.name) as name,
    std.code_in(logged.kind, '{学校,体育馆,广场,社区服务中心,公园}') as kind,
    std.clean_text(logged.address) as address,
    std.address_key(logged.address) as address_key,
    (place.position)[1]::numeric(9, 6) as lon,
    (place.position)[2]::numeric(8, 6) as lat,
    std.clean_text(logged.location) as location,
    std.try_date(logged.since_on) as since_on,
    std.try_date(logged.ended_on) as ended_on,
    std.try_count(logged.capacity) as capacity,
    std.try_count(logged.occupied) as occupied,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'emergency__shelter') }} as logged
cross join lateral std.position_of(logged.location) as place (position)
cross join lateral array_remove(array[
    std.quarantine_reason('code', logged.code, std.clean_code(logged.code) is null)
], null) as judged (quarantine_reasons)
