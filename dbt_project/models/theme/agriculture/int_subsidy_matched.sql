-- Each subsidy and the land it was drawn for: that of the contract it names, else what its receiver has contracted.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='claim_key',
    touched_by={'stg_agriculture__subsidy': 'claim_key', 'theme_agriculture__contract': 'claim_key'},
    touches={'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['subsidy_no'], 'unique': true}, {'columns': ['claim_key']}, {'columns': ['identifier_key']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} in (select key from {{ touched() }}){% else %} is not null{% endif %}
{%- endset %}

with subsidy as (
    select
        *,
        make_date(cast(year as integer), case when season = '秋季' then 10 else 6 end, 1) as season_on
    from {{ ref('stg_agriculture__subsidy') }}
    where is_usable and claim_key{{ touched_keys }}
),

contract as (
    select * from {{ ref('theme_agriculture__contract') }}
),

claimable as (
    select
        contract_no as claim_key,
        contract_no,
        area_mu,
        term_from,
        term_to
    from contract
    where contract_no{{ touched_keys }}
    union all
    select
        cast(identifier_key as text) as claim_key,
        contract_no,
        area_mu,
        term_from,
        term_to
    from contract
    where
        has_number
        and cast(identifier_key as text){{ touched_keys }}
),

land as (
    select
        subsidy.subsidy_no,
        sum(claimable.area_mu) as contracted_mu,
        array_agg(claimable.contract_no order by claimable.contract_no) as contract_nos
    from subsidy
    inner join claimable
        on
            subsidy.claim_key = claimable.claim_key
            and coalesce(subsidy.season_on >= claimable.term_from, true)
            and subsidy.season_on <= claimable.term_to
    group by subsidy.subsidy_no
)

select
    subsidy.subsidy_no,
    subsidy.claim_key,
    subsidy.identifier_key,
    subsidy.subsidy_kind,
    subsidy.year,
    subsidy.season,
    subsidy.village_code,
    subsidy.claimed_mu,
    cast(land.contracted_mu as numeric(12, 2)) as contracted_mu,
    land.contract_nos,
    subsidy.amount,
    subsidy.paid_on,
    row_number() over (
        partition by subsidy.claim_key, subsidy.identifier_key, subsidy.subsidy_kind, subsidy.year, subsidy.season
        order by subsidy.paid_on, subsidy.subsidy_no
    ) > 1 as is_repeat
from subsidy
left join land on subsidy.subsidy_no = land.subsidy_no
