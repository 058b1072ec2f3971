-- When each region code stood, as the list and its changes were landed: the staging gate asks before the first build.
{{ config(materialized='view') }}

with listed as (
    select
        code as region_code,
        min(_loaded_on) as first_loaded_on,
        (array_agg(_op order by _batch_id desc))[1] = 'D' as is_gone,
        max(_loaded_on) - 1 as last_listed_on
    from {{ ref('stg_region_codes__division_typed') }}
    where code is not null
    group by code
),

change as (
    select distinct on (_row_key) *
    from {{ ref('stg_region_codes__change_typed') }}
    order by _row_key asc, _batch_id desc
),

ended as (
    select
        old_code as region_code,
        max(valid_until) as valid_until
    from change
    where _op <> 'D' and old_code is not null and valid_until is not null
    group by old_code
),

-- A unit that goes on under its name had no such code before. One of another name may have stood beside the one it
-- took in, and so did one that the list had before that.
begun as (
    select
        change.new_code as region_code,
        min(change.valid_until) + 1 as valid_from
    from change
    left join listed on change.new_code = listed.region_code
    where
        change._op <> 'D'
        and change.old_code <> change.new_code
        and regexp_replace(change.old_name, '(街道办事处|街道|镇|乡|市|县|区|村)$', '')
        = regexp_replace(change.new_name, '(街道办事处|街道|镇|乡|市|县|区|村)$', '')
        and coalesce(listed.first_loaded_on > change.valid_until, true)
    group by change.new_code
),

stood as (
    select
        coalesce(listed.region_code, ended.region_code) as region_code,
        case
            when listed.region_code is null or listed.is_gone then coalesce(ended.valid_until, listed.last_listed_on)
        end as valid_until
    from listed
    full join ended on listed.region_code = ended.region_code
)

-- What belongs to a unit has a code no older than the unit's.
select
    stood.region_code,
    greatest(begun.valid_from, township.valid_from, district.valid_from) as valid_from,
    stood.valid_until
from stood
left join begun on stood.region_code = begun.region_code
left join begun as township on left(stood.region_code, 9) || '000' = township.region_code
left join begun as district on left(stood.region_code, 6) || '000000' = district.region_code
