-- What is not in order with a vehicle that runs, since when, and what says so.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='owner_key',
    touched_by={'theme_transport__vehicle': 'owner_key'},
    touches={'owner_key': 'owner_key', 'township_code': 'township_code'},
    indexes=[{'columns': ['owner_key', 'plate_no', 'finding_kind'], 'unique': true}, {'columns': ['township_code']}]
) }}

with vehicle as (
    select * from {{ ref('theme_transport__vehicle') }}
    {% if is_incremental() %} where owner_key in (select key from {{ touched() }}){% endif %}
),

found as (
    select
        *,
        'inspection_expired' as finding_kind,
        inspection_valid_until + 1 as since,
        '检验有效期至' || to_char(inspection_valid_until, 'YYYY-MM-DD') as evidence
    from vehicle
    where inspection_status = 'expired'
    union all
    select
        *,
        'operator_unlicensed' as finding_kind,
        coalesce(licence_ended_on, registered_on) as since,
        vehicle_kind || '营运，所有人' || case
            when licence_ended_on is null then '从未取得' else to_char(licence_ended_on, 'YYYY-MM-DD') || '起不再持有'
        end || licence_needed as evidence
    from vehicle
    where operation_status = 'unlicensed'
)

select
    plate_no,
    finding_kind,
    owner_key,
    identifier_key,
    person_key,
    uscc,
    township_code,
    since,
    to_char(since, 'YYYYMM') as month,
    evidence
from found
