-- What people and organisations may show: every e-licence, whose it is, and whether it holds on the business date.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='holder_key',
    touched_by={
        'stg_licence_register__licence': 'holder_key',
        'base_population__identity': 'identifier_key',
        'base_licence__type': '*'
    },
    touches={'holder_key': 'holder_key', 'identifier_key': 'identifier_key', 'person_key': 'person_key'},
    due_keys="
        select holder_key from {{ this }}
        where {{ fell_due('valid_until + 1') }} or {{ fell_due('revoked_on') }}
    ",
    indexes=[
        {'columns': ['holder_key', 'licence_no'], 'unique': true},
        {'columns': ['identifier_key']}, {'columns': ['person_key']}
    ]
) }}

with registered as (
    select * from {{ ref('stg_licence_register__licence') }}
    where
        is_usable
        {% if is_incremental() %} and holder_key in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

type as (
    select * from {{ ref('base_licence__type') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- A licence entered twice is one: always the same row of the two, chosen by its values.
licence as (
    select distinct on (holder_key, licence_no) *
    from registered
    order by
        holder_key asc, licence_no asc, num_nulls(issued_on, type_code, issuing_department) asc, licence_id asc
)

select
    licence.licence_no,
    licence.licence_id,
    licence.holder_key,
    case when licence.holder_uscc is null then '自然人' else '法人' end as holder_kind,
    licence.holder_identifier_key as identifier_key,
    identity.person_key,
    licence.holder_uscc as uscc,
    licence.holder_name,
    -- A code that is none is told by the name beside it.
    coalesce(coded.type_code, named.type_code) as type_code,
    coalesce(coded.label, named.label, licence.type_name) as type_name,
    coalesce(licence.issuing_department, coded.issuing_department, named.issuing_department) as issuing_department,
    licence.issued_on,
    licence.valid_until,
    licence.revoked_on,
    case
        when licence.revoked_on <= build.as_of then 'revoked'
        when licence.valid_until < build.as_of then 'expired'
        else 'valid'
    end as status
from licence
cross join build
left join identity on licence.holder_identifier_key = identity.identifier_key
left join type as coded on licence.type_code = coded.type_code
left join type as named on licence.type_name = named.label
