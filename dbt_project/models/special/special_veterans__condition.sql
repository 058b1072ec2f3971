-- The rule names, for the keys that fall due, models it reads only through the judging views:
-- depends_on: {{ ref('int_veteran_served') }}
-- depends_on: {{ ref('int_threshold_applied') }}
-- depends_on: {{ ref('base_population__person') }}
-- depends_on: {{ ref('stg_civil_affairs__subsidy_award') }}
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'int_veteran_served': 'person_key',
        'int_namesake_quarantined': 'person_key',
        'int_threshold_applied': '*',
        'int_source_covered': '*',
        'base_population__person': 'person_key',
        'stg_police__cancellation': 'identifier_key',
        'stg_health__death': 'identifier_key',
        'stg_social_security__insurance': 'identifier_key',
        'stg_civil_affairs__subsidy_award': 'identifier_key'
    },
    touches={'person_key': 'person_key'},
    due_keys="
        select person.person_key
        from {{ ref('int_veteran_served') }} as veteran
        inner join {{ ref('base_population__person') }} as person on veteran.person_key = person.person_key
        cross join {{ ref('int_threshold_applied') }} as threshold
        where {{ fell_due('(person.birth_date + make_interval(years => threshold.age_years))::date') }}
        union
        select identifier_key from {{ ref('stg_civil_affairs__subsidy_award') }}
        where {{ fell_due('ended_on') }} or {{ fell_due('started_on') }}
    ",
    indexes=[{'columns': ['person_key', 'condition_code'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %}
where person_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with age as (
    select * from {{ ref('int_age_judged') }}{{ touched_keys }}
),

hukou as (
    select * from {{ ref('int_hukou_judged') }}{{ touched_keys }}
),

enlistment as (
    select * from {{ ref('int_enlistment_judged') }}{{ touched_keys }}
),

pension as (
    select * from {{ ref('int_pension_judged') }}{{ touched_keys }}
),

benefit as (
    select * from {{ ref('int_benefit_judged') }}{{ touched_keys }}
),

life as (
    select * from {{ ref('int_life_judged') }}{{ touched_keys }}
),

combined as (
    select * from age
    union all
    select * from hukou
    union all
    select * from enlistment
    union all
    select * from pension
    union all
    select * from benefit
    union all
    select * from life
)

select
    person_key,
    condition_code,
    verdict,
    source,
    evidence,
    holder_to_ask
from combined
