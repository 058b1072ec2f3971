-- What all sources together say of a numbered person: each attribute by the dated precedence of sources, then without
-- contradiction to the number, then the newest. Losing candidates are kept beside it.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'int_source_ranked': '*',
        'stg_police__resident': 'identifier_key',
        'stg_police__household_member': 'identifier_key',
        'stg_police__cancellation': 'identifier_key',
        'stg_social_security__insurance': 'identifier_key',
        'stg_social_security__employment': 'identifier_key',
        'stg_civil_affairs__assisted_person': 'identifier_key',
        'stg_civil_affairs__subsidy_award': 'identifier_key',
        'stg_health__birth': 'identifier_key',
        'stg_health__death': 'identifier_key',
        'stg_veterans__service_record': 'identifier_key',
        'stg_agriculture__land_contract': 'identifier_key',
        'stg_agriculture__subsidy': 'identifier_key',
        'stg_credit__record': 'identifier_key',
        'stg_disabled_federation__certificate': 'identifier_key',
        'stg_education__degree': 'identifier_key',
        'stg_education__enrolment': 'identifier_key',
        'stg_funeral__cremation': 'identifier_key',
        'stg_housing__contract': 'identifier_key',
        'stg_licence_register__licence': 'identifier_key',
        'stg_market_regulation__entity': 'identifier_key',
        'stg_market_regulation__officer': 'identifier_key',
        'stg_marriage_registry__registration': 'identifier_key',
        'stg_medical_insurance__settlement': 'identifier_key',
        'stg_power__account': 'identifier_key',
        'stg_provident_fund__account': 'identifier_key',
        'stg_provident_fund__loan': 'identifier_key',
        'stg_real_estate__mortgage': 'identifier_key',
        'stg_real_estate__title': 'identifier_key',
        'stg_rural_revitalisation__monitored_person': 'identifier_key',
        'stg_transport__licence': 'identifier_key',
        'stg_transport__vehicle': 'identifier_key',
        'stg_utilities__account': 'identifier_key',
        'stg_marriage_archive__record': 'identifier_key',
        'stg_civil_affairs__subsidy_payment': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}]
) }}
{%- set attributes = [
    'name', 'sex', 'birth_date', 'nation', 'hukou_type', 'village_code', 'household_no', 'relation', 'phone', 'died_on'
] %}

with observed as (
    select * from {{ ref('int_person_observed') }}
    {% if is_incremental() %} where identifier_key = any({{ touched_keys() }}){% endif %}
),

source_ranked as (
    select * from {{ ref('int_source_ranked') }}
),

-- The number itself holds a birth date and a sex.
weighed as (
    select
        observed.*,
        {{ recency('observed.observed_at') }} as recency,
        observed.observed_at::date as observed_on,
        to_date(substr(observed.pid, 7, 8), 'YYYYMMDD') as birth_date_of_pid,
        case when substr(observed.pid, 17, 1) in ('1', '3', '5', '7', '9') then '1' else '2' end as sex_of_pid,
        {%- for attribute in attributes %}
        coalesce(source_ranked.{{ attribute }}_rank, '99') as {{ attribute }}_rank
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from observed
    left join source_ranked on observed.source = source_ranked.source
),

best as (
    select
        identifier_key,
        min(pid) as pid,
        min(birth_date_of_pid) as birth_date_of_pid,
        min(sex_of_pid) as sex_of_pid,
        array_agg(distinct split_part(source, '.', 1)) as sources,
        coalesce(array_agg(distinct name) filter (where name is not null), '{}') as names,
        min(name) <> max(name) as name_differs,
        bool_or(sex <> sex_of_pid) as sex_differs,
        bool_or(birth_date <> birth_date_of_pid) as birth_date_differs,
        min(nation) <> max(nation) as nation_differs,
        {{ golden('name') }},
        {{ golden('sex', "case when sex = sex_of_pid then '0' else '1' end") }},
        {{ golden('birth_date', "case when birth_date = birth_date_of_pid then '0' else '1' end") }},
        {%- for attribute in attributes[3:] %}
        {{ golden(attribute) }},
        {%- endfor %}
        {% for attribute in attributes -%}
        coalesce(min({{ attribute }}) <> max({{ attribute }}), false){{ ' or ' if not loop.last }}
        {%- endfor %} as has_lost
    from weighed
    group by identifier_key
),

-- Only for people on whom something differs: few.
lost_value as (
    select distinct
        weighed.identifier_key,
        candidate.attribute,
        candidate.value,
        weighed.source,
        weighed.observed_on
    from weighed
    inner join best on weighed.identifier_key = best.identifier_key and best.has_lost
    cross join
        lateral (
            values
            {% for attribute in attributes -%}
            ('{{ attribute }}', weighed.{{ attribute }}::text, best.{{ attribute }}_best[4]){{ ',' if not loop.last }}
            {% endfor %}
        ) as candidate (attribute, value, golden_value)
    where candidate.value <> candidate.golden_value
),

lost_attribute as (
    select
        identifier_key,
        attribute,
        jsonb_agg(
            jsonb_build_object('value', value, 'source', source, 'on', observed_on)
            order by value, source, observed_on
        ) as candidates
    from lost_value
    group by identifier_key, attribute
),

lost as (
    select
        identifier_key,
        jsonb_object_agg(attribute, candidates) as lost_candidates
    from lost_attribute
    group by identifier_key
),

unpacked as (
    select
        identifier_key,
        pid,
        birth_date_of_pid,
        sex_of_pid,
        sources,
        names,
        name_differs,
        sex_differs,
        birth_date_differs,
        nation_differs,
        {%- for attribute in attributes %}
        {{ golden_columns(attribute, 'date' if attribute in ('birth_date', 'died_on') else 'text') }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from best
)

select
    unpacked.identifier_key,
    unpacked.pid,
    unpacked.sources,
    unpacked.name,
    unpacked.name_source,
    unpacked.name_on,
    unpacked.names,
    coalesce(unpacked.sex, unpacked.sex_of_pid) as sex,
    coalesce(unpacked.sex_source, 'identifier') as sex_source,
    unpacked.sex_on,
    coalesce(unpacked.birth_date, unpacked.birth_date_of_pid) as birth_date,
    coalesce(unpacked.birth_date_source, 'identifier') as birth_date_source,
    unpacked.birth_date_on
    {%- for attribute in attributes[3:] %},
    unpacked.{{ attribute }},
    unpacked.{{ attribute }}_source,
    unpacked.{{ attribute }}_on
    {%- endfor %},
    array_remove(array[
        case when unpacked.name_differs then 'name' end,
        case when unpacked.sex_differs then 'sex' end,
        case when unpacked.birth_date_differs then 'birth_date' end,
        case when unpacked.nation_differs then 'nation' end
    ], null) as conflicts,
    coalesce(lost.lost_candidates, '{}') as lost_candidates
from unpacked
left join lost on unpacked.identifier_key = lost.identifier_key
