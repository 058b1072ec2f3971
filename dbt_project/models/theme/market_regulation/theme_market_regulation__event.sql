-- What happened to organisations: founded, changed, closed. In the district where they are today.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by={
        'base_legal_person__organisation': 'organisation_key',
        'int_change_placed': 'organisation_key'
    },
    touches={'organisation_key': 'organisation_key', 'district_month': 'district_month'},
    indexes=[{'columns': ['organisation_key']}, {'columns': ['district_month']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and organisation_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with organisation as (
    select * from {{ ref('base_legal_person__organisation') }}
    where true{{ touched_keys }}
),

change as (
    select * from {{ ref('int_change_placed') }}
    where true{{ touched_keys }}
),

happened as (
    select
        organisation_key,
        '设立' as event_kind,
        established_on as happened_on,
        cast(null as text) as before_value,
        cast(null as text) as after_value
    from organisation
    where established_on is not null
    union all
    select
        organisation_key,
        case when status = '吊销' then '吊销' else '注销' end as event_kind,
        ended_on as happened_on,
        cast(null as text) as before_value,
        cast(null as text) as after_value
    from organisation
    where ended_on is not null
    union all
    select distinct
        organisation_key,
        item as event_kind,
        changed_on as happened_on,
        before_value,
        after_value
    from change
)

select
    happened.organisation_key,
    happened.event_kind,
    happened.happened_on,
    to_char(happened.happened_on, 'YYYYMM') as month,
    happened.before_value,
    happened.after_value,
    organisation.subject_kind,
    organisation.district_code,
    coalesce(organisation.district_code, 'unknown') || '-' || to_char(happened.happened_on, 'YYYYMM') as district_month
from happened
inner join organisation on happened.organisation_key = organisation.organisation_key
