-- Which code stood for a territory when: any code asked for, former or current, and the codes before and after it.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='region_code',
    touched_by='everything',
    indexes=[{'columns': ['region_code', 'code_then'], 'unique': true}]
) }}

with division as (
    select * from {{ ref('base_region__division') }}
),

-- Every code and the one that stands in its place now: codes with the same one are the same territory, or parts of it.
territory as (
    select
        region_code,
        coalesce(successor_code, region_code) as code_now,
        name,
        valid_from,
        valid_until
    from division
),

-- A successor knows its forerunners; a forerunner's territory is only its own part of its successor.
paired as (
    select
        asked.region_code,
        held.region_code as code_then,
        held.name as name_then,
        case
            when held.region_code = asked.code_now then coalesce(held.valid_from, asked.valid_until + 1) else
                held.valid_from
        end
            as valid_from,
        held.valid_until
    from territory as asked
    inner join territory as held
        on
            asked.code_now = held.code_now
            and (asked.region_code = held.region_code or asked.code_now in (asked.region_code, held.region_code))
)

select
    region_code,
    code_then,
    name_then,
    valid_from,
    valid_until,
    -- Before a merger the territory of the merged unit had several codes.
    cast(
        count(*) over (partition by region_code, valid_until is null) as integer
    ) as code_count
from paired
