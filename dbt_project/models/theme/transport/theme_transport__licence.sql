{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='holder_key',
    touched_by={'stg_transport__licence': 'holder_key', 'base_population__identity': 'identifier_key'},
    touches={'holder_key': 'holder_key', 'person_key': 'person_key'},
    due_keys="
        select holder_key from {{ this }}
        where {{ fell_due('ended_on') }} or {{ fell_due('revoked_on') }}
    ",
    indexes=[{'columns': ['licence_no'], 'unique': true}, {'columns': ['holder_key']}, {'columns': ['person_key']}]
) }}

with registered as (
    select
        *,
        -- The first day on which it holds no more.
        least(valid_until + 1, revoked_on) as ended_on
    from {{ ref('stg_transport__licence') }}
    where
        is_usable
        {% if is_incremental() %} and holder_key in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- A licence entered twice has two numbers and all else alike.
licence as (
    select distinct on (holder_key, licence_kind, issued_on, valid_until, revoked_on) *
    from registered
    order by holder_key, licence_kind, issued_on, valid_until, revoked_on, licence_no
)

select
    licence.licence_no,
    licence.licence_kind,
    licence.holder_key,
    licence.holder_identifier_key as identifier_key,
    identity.person_key,
    licence.holder_uscc as uscc,
    licence.holder_name,
    licence.issued_on,
    licence.valid_until,
    licence.revoked_on,
    licence.ended_on,
    case
        when licence.revoked_on <= build.as_of then 'revoked'
        when licence.ended_on <= build.as_of then 'expired'
        else 'valid'
    end as status
from licence
cross join build
left join identity on licence.holder_identifier_key = identity.identifier_key
