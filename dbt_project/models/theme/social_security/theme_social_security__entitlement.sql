-- What the systems grant or certify a person, one form for all: subsidies, disability, watch against poverty.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_civil_affairs__subsidy_award': 'identifier_key',
        'stg_disabled_federation__certificate': 'identifier_key',
        'stg_rural_revitalisation__monitored_person': 'identifier_key',
        'base_population__identity': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key', 'person_key': 'person_key'},
    due_keys="
        select identifier_key from {{ this }}
        where {{ fell_due('started_on') }} or {{ fell_due('ended_on') }}
    ",
    indexes=[{'columns': ['identifier_key', 'kind', 'record_no'], 'unique': true}, {'columns': ['person_key']}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with subsidy_award as (
    select * from {{ ref('stg_civil_affairs__subsidy_award') }}
    where is_usable{{ of_touched }}
),

certificate as (
    select * from {{ ref('stg_disabled_federation__certificate') }}
    where is_usable{{ of_touched }}
),

monitored_person as (
    select * from {{ ref('stg_rural_revitalisation__monitored_person') }}
    where is_usable{{ of_touched }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ of_touched }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- An entitlement ends on the first day it no longer holds.
granted as (
    select
        identifier_key, '补贴' as kind, award_no as record_no, subsidy_kind as detail,
        cast(null as text) as grade, monthly_amount, started_on, ended_on,
        true as has_number
    from subsidy_award
    union all
    select
        identifier_key, '残疾人证' as kind, certificate_no as record_no, disability_kind as detail,
        grade, cast(null as numeric(14, 2)) as monthly_amount, issued_on as started_on,
        least(revoked_on, valid_until + 1) as ended_on, true as has_number
    from certificate
    union all
    select
        identifier_key, '防返贫监测' as kind, person_no as record_no, kind as detail,
        cast(null as text) as grade, cast(null as numeric(14, 2)) as monthly_amount, identified_on as started_on,
        cleared_on as ended_on, has_number
    from monitored_person
),

-- A number met twice is one record, always the same one.
distinct_granted as (
    select distinct on (identifier_key, kind, record_no) * from granted
    order by
        identifier_key asc, kind asc, record_no asc, ended_on desc nulls first, started_on asc, detail asc, grade asc
)

select
    distinct_granted.identifier_key,
    coalesce(identity.person_key, distinct_granted.identifier_key) as person_key,
    distinct_granted.kind,
    distinct_granted.record_no,
    distinct_granted.detail,
    distinct_granted.grade,
    distinct_granted.monthly_amount,
    distinct_granted.started_on,
    distinct_granted.ended_on,
    distinct_granted.has_number,
    (distinct_granted.started_on is null or distinct_granted.started_on <= (select build.as_of from build))
    and (distinct_granted.ended_on is null or distinct_granted.ended_on > (select build.as_of from build))
        as is_in_force
from distinct_granted
left join identity on distinct_granted.identifier_key = identity.identifier_key
