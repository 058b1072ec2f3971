-- Rows nobody could attribute, by the name they carry: any of them may be a veteran's of that name.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='name',
    touched_by={
        'stg_police__resident': 'name',
        'stg_police__cancellation': 'name',
        'stg_health__death': 'name',
        'stg_social_security__insurance': 'name',
        'stg_civil_affairs__subsidy_award': 'name',
        'stg_veterans__service_record': 'name',
        'int_veteran_served': 'name'
    },
    touches={'name': 'name', 'person_key': 'person_key'},
    indexes=[{'columns': ['person_key', 'entity', 'name'], 'unique': true}, {'columns': ['name']}]
) }}
{%- set touched_names -%}
{% if is_incremental() %} and name in (select key from {{ touched() }}){% endif %}
{%- endset %}

-- Only rows that could speak against a condition: an old-age allowance of a namesake says nothing of regular benefits.
with quarantined as (
    select 'police.resident' as entity, name from {{ ref('stg_police__resident') }}
    where identifier_key is null and hukou_type is distinct from '1'{{ touched_names }}
    union all
    select 'police.cancellation' as entity, name from {{ ref('stg_police__cancellation') }}
    where identifier_key is null and reason is distinct from '迁出'{{ touched_names }}
    union all
    select 'health.death' as entity, name from {{ ref('stg_health__death') }}
    where identifier_key is null{{ touched_names }}
    union all
    select 'social_security.insurance' as entity, name from {{ ref('stg_social_security__insurance') }}
    where identifier_key is null and insurance_kind is distinct from '城乡居民养老'{{ touched_names }}
    union all
    select 'civil_affairs.subsidy_award' as entity, name from {{ ref('stg_civil_affairs__subsidy_award') }}
    where
        identifier_key is null
        and coalesce(subsidy_kind, '') not in ('高龄津贴', '孤儿补助', '残疾补贴'){{ touched_names }}
    union all
    select 'veterans.service_record' as entity, name from {{ ref('stg_veterans__service_record') }}
    where identifier_key is null{{ touched_names }}
),

veteran as (
    select
        served.person_key,
        known.name
    from {{ ref('int_veteran_served') }} as served
    cross join lateral unnest(served.names) as known (name)
),

counted as (
    select
        entity,
        name,
        cast(count(*) as integer) as row_count
    from quarantined
    group by entity, name
)

select
    counted.name,
    veteran.person_key,
    counted.entity,
    counted.row_count
from counted
inner join veteran on counted.name = veteran.name
