{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='township_year',
    touched_by={'theme_agriculture__subsidy': 'township_year'},
    indexes=[{'columns': ['township_year', 'subsidy_kind'], 'unique': true}]
) }}

with subsidy as (
    select * from {{ ref('theme_agriculture__subsidy') }}
    {% if is_incremental() %} where township_year in (select key from {{ touched() }}){% endif %}
)

select
    township_year,
    min(township_code) as township_code,
    min(year) as year,
    subsidy_kind,
    cast(count(*) filter (where not is_repeat) as integer) as subsidy_count,
    cast(count(distinct identifier_key) filter (where has_number) as integer) as receiver_count,
    cast(coalesce(sum(claimed_mu) filter (where not is_repeat), 0) as numeric(16, 2)) as claimed_mu,
    cast(coalesce(sum(contracted_mu) filter (where not is_repeat), 0) as numeric(16, 2)) as contracted_mu,
    cast(coalesce(sum(amount) filter (where not is_repeat), 0) as numeric(16, 2)) as amount,
    cast(count(*) filter (where is_repeat) as integer) as repeat_count,
    cast(count(*) filter (where verdict = 'over' and not is_repeat) as integer) as over_count,
    cast(coalesce(sum(over_amount) filter (where not is_repeat), 0) as numeric(16, 2)) as over_amount,
    cast(count(*) filter (where verdict = 'unknown' and not is_repeat) as integer) as unknown_count
from subsidy
group by township_year, subsidy_kind
