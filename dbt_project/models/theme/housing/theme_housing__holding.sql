-- Who holds what of a home: ownership by title, and the accounts for power, water, gas and heat.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='holder_key',
    touched_by={
        'stg_real_estate__title': 'holder_key',
        'stg_power__account': 'holder_key',
        'stg_utilities__account': 'holder_key',
        'base_population__identity': 'identifier_key'
    },
    touches={'holder_key': 'holder_key', 'home_key': 'home_key', 'person_key': 'person_key'},
    indexes=[
        {'columns': ['kind', 'record_no'], 'unique': true},
        {'columns': ['holder_key']},
        {'columns': ['home_key']},
        {'columns': ['person_key']}
    ]
) }}
{%- set held -%}
is_usable and holder_key is not null
        {% if is_incremental() %} and holder_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with title as (
    select * from {{ ref('stg_real_estate__title') }}
    where
        {{ held }}
),

power_account as (
    select * from {{ ref('stg_power__account') }}
    where
        {{ held }}
),

utility_account as (
    select * from {{ ref('stg_utilities__account') }}
    where
        {{ held }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where
        true
        {% if is_incremental() -%}
        and identifier_key in (
            select touched.key::uuid from {{ touched() }} as touched
            where length(touched.key) = 36
        )
        {%- endif %}
),

held as (
    select
        holder_key, owner_identifier_key as identifier_key, owner_uscc as uscc, home_key, '产权' as kind,
        title_id::text as record_no, owner_name as holder_name, share_percent, way, acquired_on as held_from,
        ended_on as held_until
    from title
    union all
    select
        holder_key, holder_identifier_key as identifier_key, holder_uscc as uscc, home_key, '用电' as kind,
        account_no as record_no, holder_name, null as share_percent, null as way, opened_on as held_from,
        closed_on as held_until
    from power_account
    union all
    select
        holder_key, holder_identifier_key as identifier_key, null as uscc, home_key, kind,
        account_no as record_no, holder_name, null as share_percent, null as way, opened_on as held_from,
        null as held_until
    from utility_account
),

-- A record entered twice is one: chosen by its values, the number last.
single as (
    select distinct on (holder_key, home_key, kind, held_from) *
    from held
    order by
        holder_key asc, home_key asc, kind asc, held_from asc,
        held_until asc nulls last, share_percent desc nulls last, way asc, holder_name asc, record_no asc
)

select
    single.holder_key,
    single.identifier_key,
    identity.person_key,
    case when single.identifier_key is null then single.uscc end as uscc,
    single.holder_name,
    single.home_key,
    single.kind,
    single.record_no,
    single.share_percent::numeric(14, 2) as share_percent,
    single.way,
    single.held_from,
    single.held_until
from single
left join identity on single.identifier_key = identity.identifier_key
