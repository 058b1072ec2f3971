-- Who is supported by what, side by side, and where one system does not know of another: to be asked, not to be judged.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'theme_social_security__entitlement': 'person_key',
        'theme_civil_affairs__assistance': 'person_key',
        'base_population__person': 'person_key'
    },
    indexes=[{'columns': ['person_key'], 'unique': true}, {'columns': ['township_code']}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with entitlement as (
    select * from {{ ref('theme_social_security__entitlement') }}
    where is_in_force{{ of_touched }}
),

assistance as (
    select * from {{ ref('theme_civil_affairs__assistance') }}
    where true{{ of_touched }}
),

person as (
    select * from {{ ref('base_population__person') }}
    where true{{ of_touched }}
),

entitled as (
    select
        person_key,
        array_agg(distinct detail) filter (where kind = '补贴') as subsidy_kinds,
        min(grade) filter (where kind = '残疾人证') as disability_grade,
        bool_or(kind = '残疾人证') as is_disabled,
        bool_or(kind = '防返贫监测') as is_monitored
    from entitlement
    group by person_key
),

assisted as (
    select
        person_key,
        array_agg(distinct kind) filter (where kind is not null) as assistance_kinds
    from assistance
    group by person_key
),

combined as (
    select
        coalesce(entitled.person_key, assisted.person_key) as person_key,
        assisted.person_key is not null as in_assistance,
        coalesce(assisted.assistance_kinds, '{}') as assistance_kinds,
        coalesce(entitled.subsidy_kinds, '{}') as subsidy_kinds,
        coalesce(entitled.is_disabled, false) as is_disabled,
        entitled.disability_grade,
        coalesce(entitled.disability_grade in ('1', '2'), false) as is_severely_disabled,
        coalesce(entitled.is_monitored, false) as is_monitored
    from entitled
    full join assisted on entitled.person_key = assisted.person_key
)

select
    combined.person_key,
    person.township_code,
    coalesce(person.is_resident, false) as is_resident,
    combined.in_assistance,
    combined.assistance_kinds,
    combined.subsidy_kinds,
    combined.is_disabled,
    combined.disability_grade,
    combined.is_severely_disabled,
    combined.is_monitored,
    cast(
        cast(combined.in_assistance as integer) + cardinality(combined.subsidy_kinds)
        + cast(combined.is_disabled as integer) + cast(combined.is_monitored as integer) as integer
    ) as support_count,
    array_remove(array[
        case when person.died_on is not null then 'support_after_death' end,
        case
            when combined.is_severely_disabled and not '残疾补贴' = any(combined.subsidy_kinds)
                then 'severe_disability_without_subsidy'
        end,
        case
            when '残疾补贴' = any(combined.subsidy_kinds) and not combined.is_disabled
                then 'disability_subsidy_without_certificate'
        end,
        case when combined.is_monitored and not combined.in_assistance then 'monitored_without_assistance' end
    ], null) as to_ask
from combined
left join person on combined.person_key = person.person_key
