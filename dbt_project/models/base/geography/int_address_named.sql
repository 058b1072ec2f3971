-- The township and village an address names. Stems are found by equality of two characters at each place of the text.
-- Hash joins only: PostgreSQL expects one mention, and would compare every address with every mention there is.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='address_key',
    touched_by={'int_address_headed': 'address_key', 'int_division_spelled': '*'},
    touches={'address_key': 'address_key', 'road': 'road', 'door_key': 'door_key'},
    indexes=[{'columns': ['address_key'], 'unique': true}, {'columns': ['road']}, {'columns': ['door_key']}],
    pre_hook=['set local enable_nestloop = off', 'set local enable_mergejoin = off']
) }}

with headed as (
    select * from {{ ref('int_address_headed') }}
    where
        not is_outside
        {% if is_incremental() %} and address_key in (select key from {{ touched() }}){% endif %}
),

spelled as (
    select * from {{ ref('int_division_spelled') }}
    where level in ('township', 'village')
),

placed as (
    select
        headed.address_key,
        headed.district_code,
        headed.text_behind,
        place.starts_at,
        substr(headed.text_behind, place.starts_at, 2) as opening,
        place.starts_at = 1
        or substr(headed.text_behind, place.starts_at - 1, 1) ~ '[^一-鿿]|[镇乡处道办区市县号路街巷段内]' as is_word
    from headed
    cross join lateral generate_series(1, least(length(headed.text_behind) - 1, 30)) as place (starts_at)
),

mentioned as (
    select
        placed.address_key,
        placed.district_code is not null as has_district,
        spelled.level,
        spelled.region_code,
        spelled.stem,
        placed.starts_at,
        placed.starts_at + length(spelled.stem) as ends_at,
        placed.is_word
        or coalesce(
            right(substr(placed.text_behind, 1, placed.starts_at - 1), length(spelled.township_stem))
            = spelled.township_stem,
            false
        ) as is_word,
        spelled.confidence
    from placed
    inner join spelled
        on
            placed.opening = spelled.opening
            and coalesce(placed.district_code, spelled.district_code) = spelled.district_code
            and substr(placed.text_behind, placed.starts_at, length(spelled.stem)) = spelled.stem
            and substr(placed.text_behind, placed.starts_at + length(spelled.stem)) ~ spelled.follows
),

township_mentioned as (
    select
        *,
        case when is_word then confidence else confidence - 0.25 end as strength
    from mentioned
    where
        level = 'township'
        and case
            when confidence < 0.7 then starts_at = 1
            when not is_word then confidence > 0.95 and has_district
            else true
        end
),

township_ranked as (
    select
        *,
        rank() over (
            partition by address_key order by strength desc, starts_at asc, length(stem) desc
        ) as preference
    from township_mentioned
),

township as (
    select
        address_key,
        min(region_code) as region_code,
        count(distinct region_code) as unit_count,
        min(ends_at) as ends_at,
        min(strength) as strength
    from township_ranked
    where preference = 1
    group by address_key
),

-- A village counts in the township that is named; without one, in the district, if what it is called is unique there.
village_ranked as (
    select
        mentioned.*,
        rank() over (
            partition by mentioned.address_key
            order by mentioned.starts_at asc, length(mentioned.stem) desc, mentioned.confidence desc
        ) as preference
    from mentioned
    left join township on mentioned.address_key = township.address_key
    where
        mentioned.level = 'village'
        and mentioned.is_word
        and case
            when township.unit_count = 1
                then
                    left(mentioned.region_code, 9) = township.region_code
                    and (mentioned.starts_at >= township.ends_at or township.strength < 0.7)
            else mentioned.has_district or (mentioned.confidence > 0.9 and length(mentioned.stem) > 2)
        end
),

village as (
    select
        address_key,
        min(region_code) as region_code,
        count(distinct region_code) as unit_count,
        count(distinct left(region_code, 9)) as township_count,
        min(ends_at) as ends_at,
        min(confidence) as strength
    from village_ranked
    where preference = 1
    group by address_key
),

combined as (
    select
        headed.*,
        case
            when township.unit_count = 1 then township.region_code
            when village.township_count = 1 then left(village.region_code, 9)
        end as township_code,
        case when village.unit_count = 1 then village.region_code end as village_code,
        coalesce(township.unit_count = 1, false) as names_township,
        township.strength as township_strength,
        village.strength as village_strength,
        greatest(township.unit_count, village.unit_count, 0) as candidate_count,
        -- The first run of characters that ends like a road; what stands before its own name is cut off.
        regexp_replace(
            substring(headed.text_behind from '[一-鿿]*?(?:大街|大道|路(?!街道)|街(?!道)|巷|胡同)'),
            '^.*(街道办事处|办事处|街道|开发区|[园市城小]?区|工业园|镇|村)(?=[一-鿿]{2})', ''
        ) as road
    from headed
    left join township on headed.address_key = township.address_key
    left join village on headed.address_key = village.address_key
),

numbered as (
    select
        *,
        coalesce(district_code, left(township_code, 6)) as district_found,
        substring(
            substr(text_behind, position(road in text_behind) + length(road)) from '^[付附]?([0-9]+)(?=[号甲乙付附-]|$)'
        ) as door_number
    from combined
)

select
    address_key,
    district_found as district_code,
    township_code,
    village_code,
    names_township,
    township_strength::numeric(3, 2) as township_strength,
    village_strength::numeric(3, 2) as village_strength,
    candidate_count::integer as candidate_count,
    road,
    door_number,
    case
        when district_found || road || door_number is not null then std.door_key(district_found, road, door_number)
    end as door_key
from numbered
