-- Each veteran's verdict, once for the township and once for the district above it; not of those who left the city.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'special_veterans__subsidy': 'person_key',
        'special_veterans__condition': 'person_key',
        'base_population__person': 'person_key',
        'base_region__division': '*'
    },
    indexes=[{'columns': ['person_key', 'consumer_code'], 'unique': true}, {'columns': ['consumer_code']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with subsidy as (
    select * from {{ ref('special_veterans__subsidy') }}
    where township_code is not null{{ touched_keys }}
),

condition as (
    select * from {{ ref('special_veterans__condition') }}
    where true{{ touched_keys }}
),

person as (
    select * from {{ ref('base_population__person') }}
    where left_on is null{{ touched_keys }}
),

division as (
    select * from {{ ref('base_region__division') }}
),

pivoted as (
    select
        person_key,
        max(verdict) filter (where condition_code = 'age_60') as age_60,
        max(verdict) filter (where condition_code = 'rural_hukou') as rural_hukou,
        max(verdict) filter (where condition_code = 'enlistment_time') as enlistment_time,
        max(verdict) filter (where condition_code = 'no_employee_pension') as no_employee_pension,
        max(verdict) filter (where condition_code = 'no_regular_benefit') as no_regular_benefit,
        max(verdict) filter (where condition_code = 'alive') as alive
    from condition
    group by person_key
),

delivered as (
    select
        consumer.consumer_code,
        person.person_key,
        person.name,
        std.mask_resident_id(person.pid) as pid_masked,
        person.sex,
        person.birth_date,
        subsidy.township_code,
        person.village_code,
        division.name as village_name,
        subsidy.verdict,
        pivoted.age_60,
        pivoted.rural_hukou,
        pivoted.enlistment_time,
        pivoted.no_employee_pension,
        pivoted.no_regular_benefit,
        pivoted.alive,
        array_to_string(subsidy.missing_holders, '、') as missing_holders
    from subsidy
    inner join person on subsidy.person_key = person.person_key
    inner join pivoted on subsidy.person_key = pivoted.person_key
    left join division on person.village_code = division.region_code
    cross join lateral unnest(array[subsidy.township_code, subsidy.district_code]) as consumer (consumer_code)
)

select
    *,
    md5(cast(delivered as text)) as _row_hash
from delivered
