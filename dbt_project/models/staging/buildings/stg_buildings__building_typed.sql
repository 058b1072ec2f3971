-- Every version of one building that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.clean_code(logged.building_no) as building_no,
    coalesce(door.door_key, md5(std.clean_code(logged.building_no))::uuid) as building_key,
    std.clean_text(logged.name) as name,
    std.code_in(logged.kind, '{住宅,办公,商业,工业,公共服务}') as kind,
    std.clean_text(logged.address) as address,
    std.address_key(logged.address) as address_key,
    std.clean_code(logged.road) as road,
    substring(std.clean_code(logged.door_number) from '^([0-9]+)') as door_number,
    std.try_count(logged.floors) as floors,
    (place.position)[1]::numeric(9, 6) as lon,
    (place.position)[2]::numeric(8, 6) as lat,
    std.clean_text(logged.location) as location,
    place_named.village_code,
    door.door_key,
    std.try_count(logged.built_year) as built_year,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'buildings__building') }} as logged
cross join lateral std.position_of(logged.location) as place (position)
-- A number begins with the code of its village.
cross join
    lateral coalesce(
        std.digits(logged.village_code, 12),
        case
            when std.clean_code(logged.village_code) is null then substring(logged.building_no from '^([0-9]{12})-')
        end
    ) as place_named (village_code)
cross join
    lateral std.door_key(
        left(place_named.village_code, 6), std.clean_code(logged.road),
        substring(std.clean_code(logged.door_number) from '^([0-9]+)')
    ) as door (door_key)
cross join lateral array_remove(array[
    std.quarantine_reason('building_no', logged.building_no, std.clean_code(logged.building_no) is null)
], null) as judged (quarantine_reasons)
