-- Each subsidy and the land it was drawn for: that of the contract it names, else what its receiver has contracted.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='claim_key',
    touched_by={
        'stg_agriculture__subsidy': 'claim_key',
        'int_land_contract_merged': 'contract_no',
        'theme_agriculture__contract': 'person_key',
        'base_population__identity': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key'},
    due_keys="{{ identifiers_of(['theme_agriculture__contract']) }}",
    indexes=[{'columns': ['subsidy_no'], 'unique': true}, {'columns': ['claim_key']}, {'columns': ['identifier_key']}]
) }}

with subsidy as (
    select
        *,
        make_date(cast(year as integer), case when season = '秋季' then 10 else 6 end, 1) as season_on,
        case when claim_key = cast(identifier_key as text) then identifier_key end as claimant_key
    from {{ ref('stg_agriculture__subsidy') }}
    where
        is_usable
        and claim_key is not null
        {% if is_incremental() %} and claim_key in (select key from {{ touched() }}){% endif %}
),

numbered as (
    select * from {{ ref('int_land_contract_merged') }}
),

contract as (
    select * from {{ ref('theme_agriculture__contract') }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
),

claimed as (
    select
        subsidy.subsidy_no,
        subsidy.season_on,
        numbered.counted_no as contract_no,
        numbered.area_mu,
        numbered.term_from,
        numbered.term_to
    from subsidy
    inner join numbered on subsidy.claim_key = numbered.contract_no
    union all
    select
        subsidy.subsidy_no,
        subsidy.season_on,
        contract.contract_no,
        contract.area_mu,
        contract.term_from,
        contract.term_to
    from subsidy
    inner join identity on subsidy.claimant_key = identity.identifier_key
    inner join contract on identity.person_key = contract.person_key
),

land as (
    select
        subsidy_no,
        sum(area_mu) as contracted_mu,
        array_agg(contract_no order by contract_no) as contract_nos
    from claimed
    where coalesce(season_on >= term_from, true) and season_on <= term_to
    group by subsidy_no
)

select
    subsidy.subsidy_no,
    subsidy.claim_key,
    subsidy.identifier_key,
    subsidy.has_number,
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
