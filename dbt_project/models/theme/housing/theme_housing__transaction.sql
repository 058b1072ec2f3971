-- Each party of each contract signed online: who sold, bought, let or rented which unit, when and for how much.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='party_key',
    touched_by={
        'stg_housing__contract': 'party_key',
        'base_population__identity': 'identifier_key',
        'base_region__division': '*'
    },
    touches={'party_key': 'party_key', 'person_key': 'person_key', 'township_code': 'township_code'},
    indexes=[
        {'columns': ['contract_no', 'role'], 'unique': true},
        {'columns': ['party_key']},
        {'columns': ['person_key']}
    ]
) }}

with contract as (
    select * from {{ ref('stg_housing__contract') }}
    where
        is_usable
        {% if is_incremental() -%}
        and (seller_key in (select key from {{ touched() }}) or buyer_key in (select key from {{ touched() }}))
        {%- endif %}
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

division as (
    select * from {{ ref('base_region__division') }}
    where level = 'township'
),

party as (
    select
        contract.*,
        side.role,
        side.party_key,
        side.identifier_key,
        side.uscc,
        side.party_name
    from contract
    cross join
        lateral (
            values
            (
                case when contract.kind = '房屋租赁' then '出租' else '出卖' end, contract.seller_key,
                contract.seller_identifier_key, contract.seller_uscc, contract.seller_name
            ),
            (
                case when contract.kind = '房屋租赁' then '承租' else '买受' end, contract.buyer_key,
                contract.buyer_identifier_key, null, contract.buyer_name
            )
        ) as side (role, party_key, identifier_key, uscc, party_name)
    where
        side.party_key is not null
        {% if is_incremental() %} and side.party_key in (select key from {{ touched() }}){% endif %}
)

select
    party.contract_no,
    party.role,
    party.party_key,
    party.identifier_key,
    identity.person_key,
    case when party.identifier_key is null then party.uscc end as uscc,
    party.party_name,
    party.kind,
    party.unit_no,
    party.home_key,
    coalesce(left(division.successor_code, 9), left(party.unit_no, 9)) as township_code,
    party.signed_on,
    to_char(party.signed_on, 'YYYYMM') as month,
    party.amount,
    party.starts_on,
    party.ends_on,
    party.status,
    row_number() over (
        partition by party.party_key, party.role, party.unit_no, party.kind, party.signed_on
        order by party.contract_no
    ) > 1 as is_repeat
from party
left join identity on party.identifier_key = identity.identifier_key
left join division on left(party.unit_no, 9) = left(division.region_code, 9)
