-- Every record of a death, from three registers.
{{ config(materialized='view') }}

-- No CTE here: this view is filtered by keys (docs/decisions/0003-touched-keys.md).
select
    identifier_key,
    'health' as source,
    died_on,
    null::date as cremated_on,
    registered_on as reported_on,
    _row_key::text as record_no
from {{ ref('stg_health__death') }}
where is_usable
union all
select
    identifier_key,
    'police' as source,
    cancelled_on as died_on,
    null as cremated_on,
    updated_at::date as reported_on,
    _row_key::text as record_no
from {{ ref('stg_police__cancellation') }}
where is_usable and reason = '死亡'
union all
select
    identifier_key,
    'funeral' as source,
    died_on,
    cremated_on,
    cremated_on as reported_on,
    _row_key::text as record_no
from {{ ref('stg_funeral__cremation') }}
where is_usable
