-- An absence is evidence only where the source was ever loaded. The first load of one has everybody judged again.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='only_row',
    touched_by='everything'
) }}

with table_claimed as (
    select * from {{ ref('int_table_claimed') }}
)

select
    true as only_row,
    coalesce(bool_or(entity = 'police.resident'), false) as has_residents,
    coalesce(bool_or(entity = 'police.cancellation'), false) as has_cancellations,
    coalesce(bool_or(entity = 'health.death'), false) as has_deaths,
    coalesce(bool_or(entity = 'social_security.insurance'), false) as has_insurance,
    coalesce(bool_or(entity = 'civil_affairs.subsidy_award'), false) as has_awards
from table_claimed
