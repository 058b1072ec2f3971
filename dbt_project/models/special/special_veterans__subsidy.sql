{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'special_veterans__condition': 'person_key', 'base_population__person': 'person_key'},
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with condition as (
    select * from {{ ref('special_veterans__condition') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

person as (
    select * from {{ ref('base_population__person') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

counted as (
    select
        person_key,
        (count(*) filter (where verdict = 'met'))::integer as met_count,
        (count(*) filter (where verdict = 'not_met'))::integer as not_met_count,
        (count(*) filter (where verdict = 'unknown'))::integer as unknown_count,
        array_agg(condition_code order by condition_code) filter (where verdict = 'not_met') as not_met_conditions,
        array_agg(condition_code order by condition_code) filter (where verdict = 'unknown') as unknown_conditions,
        array_agg(distinct holder_to_ask) filter (where holder_to_ask is not null) as missing_holders
    from condition
    group by person_key
)

-- One "no" decides. Without a "no", all six must be a "yes": unknown is never paid.
select
    counted.person_key,
    case
        when counted.not_met_count > 0 then 'not_met'
        when counted.met_count = 6 then 'met'
        else 'unknown'
    end as verdict,
    person.township_code,
    person.district_code,
    counted.met_count,
    counted.not_met_count,
    counted.unknown_count,
    coalesce(counted.not_met_conditions, '{}') as not_met_conditions,
    coalesce(counted.unknown_conditions, '{}') as unknown_conditions,
    coalesce(counted.missing_holders, '{}') as missing_holders
from counted
left join person on counted.person_key = person.person_key
