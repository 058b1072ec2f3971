-- Subsidies against the land contracted: what was drawn for more than there is. Without a contract nothing is proved.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'int_subsidy_matched': 'identifier_key',
        'base_population__identity': 'identifier_key',
        'base_region__division': '*'
    },
    touches={'identifier_key': 'identifier_key', 'person_key': 'person_key', 'township_year': 'township_year'},
    indexes=[
        {'columns': ['subsidy_no'], 'unique': true}, {'columns': ['identifier_key']}, {'columns': ['person_key']},
        {'columns': ['township_year']}
    ]
) }}

with matched as (
    select
        *,
        greatest(claimed_mu - contracted_mu, 0) as over_mu
    from {{ ref('int_subsidy_matched') }}
    {% if is_incremental() %} where identifier_key in (select key from {{ touched() }}){% endif %}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

township as (
    select
        left(region_code, 9) as code,
        left(coalesce(successor_code, region_code), 9) as code_now
    from {{ ref('base_region__division') }}
    where level = 'township'
),

placed as (
    select
        matched.*,
        identity.person_key,
        coalesce(township.code_now, left(matched.village_code, 9), '000000000') as township_code
    from matched
    left join identity on matched.identifier_key = identity.identifier_key
    left join township on left(matched.village_code, 9) = township.code
)

select
    subsidy_no,
    identifier_key,
    person_key,
    has_number,
    subsidy_kind,
    year,
    season,
    village_code,
    township_code,
    township_code || '-' || year as township_year,
    claimed_mu,
    contracted_mu,
    cast(over_mu as numeric(10, 2)) as over_mu,
    amount,
    cast(coalesce(round(amount * over_mu / nullif(claimed_mu, 0), 2), 0) as numeric(14, 2)) as over_amount,
    paid_on,
    is_repeat,
    case when contracted_mu is null then 'unknown' when over_mu > 0 then 'over' else 'within' end as verdict,
    case
        when contracted_mu is null then '未找到当季有效的承包合同'
        else
            '申领' || claimed_mu || '亩，承包' || contracted_mu || '亩（合同' || array_to_string(contract_nos, '、') || '）'
    end as evidence
from placed
