-- What old papers call a region: a district by its name of any time; a township by its name without its ending,
-- behind that of a district, or behind "·" where no other district has one of that name.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='place',
    touched_by='everything',
    indexes=[{'columns': ['place'], 'unique': true}]
) }}

with division as (
    select * from {{ ref('stg_region_codes__division') }}
    where is_usable
),

change as (
    select * from {{ ref('stg_region_codes__change') }}
    where is_usable
),

district as (
    select
        name,
        left(code, 6) as region_code
    from division
    where level = 'district'
    union
    select
        old_name as name,
        left(new_code, 6) as region_code
    from change
    where right(old_code, 6) = '000000' and right(new_code, 6) = '000000'
),

township as (
    select
        regexp_replace(name, '(街道办事处|街道|镇|乡)$', '') as stem,
        left(code, 9) as region_code
    from division
    where level = 'township'
),

called as (
    select
        name as place,
        region_code
    from district
    union all
    select
        district.name || township.stem as place,
        township.region_code
    from township
    inner join district on left(township.region_code, 6) = district.region_code
    union all
    select
        '·' || stem as place,
        region_code
    from township
)

-- A name that means two regions means none.
select
    place,
    min(region_code) as region_code
from called
group by place
having min(region_code) = max(region_code)
