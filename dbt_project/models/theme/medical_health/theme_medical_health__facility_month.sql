-- A facility's month: whom it treated and who paid; repeats and reversals are counted apart.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='facility_month',
    touched_by={
        'theme_medical_health__settlement': 'facility_month',
        'stg_medical_insurance__facility': 'facility_code'
    },
    due_keys="
        select facility_month from {{ this }}
        where facility_code in ({{ touched_since(['stg_medical_insurance__facility'], 'facility_code') }})
    ",
    indexes=[{'columns': ['facility_month'], 'unique': true}, {'columns': ['facility_code']}]
) }}

with settlement as (
    select * from {{ ref('theme_medical_health__settlement') }}
    where
        facility_code is not null
        {% if is_incremental() -%}
        and facility_month in (select key from {{ touched() }})
        {%- endif %}
),

facility as (
    select * from {{ ref('stg_medical_insurance__facility') }}
    where is_usable
),

-- One row a facility: of repeated rows the newest speaks, and what it leaves blank comes from the next.
facility_merged as (
    select
        facility_code,
        (
            array_agg(name order by updated_at desc nulls last, facility_id asc) filter (where name is not null)
        )[1] as name,
        (
            array_agg(kind order by updated_at desc nulls last, facility_id asc) filter (where kind is not null)
        )[1] as kind,
        (
            array_agg(level order by updated_at desc nulls last, facility_id asc) filter (where level is not null)
        )[1] as level,
        (
            array_agg(township_code order by updated_at desc nulls last, facility_id asc)
            filter (where township_code is not null)
        )[1] as township_code
    from facility
    group by facility_code
),

summed as (
    select
        facility_month,
        min(facility_code) as facility_code,
        min(month) as month,
        count(*) filter (where is_counted and kind = '门诊') as outpatient_count,
        count(*) filter (where is_counted and kind = '住院') as inpatient_count,
        count(distinct identifier_key) filter (where is_counted and has_number) as patient_count,
        coalesce(sum(amount) filter (where is_counted), 0) as amount,
        coalesce(sum(fund_paid) filter (where is_counted), 0) as fund_paid,
        coalesce(sum(self_paid) filter (where is_counted), 0) as self_paid,
        avg(amount) filter (where is_counted and kind = '住院') as inpatient_amount,
        avg(settled_on - admitted_on) filter (where is_counted and kind = '住院') as inpatient_days,
        count(*) filter (where is_repeat) as repeat_count,
        count(*) filter (where is_reversed) as reversed_count
    from settlement
    group by facility_month
)

select
    summed.facility_month,
    summed.facility_code,
    summed.month,
    facility_merged.name as facility_name,
    facility_merged.kind as facility_kind,
    facility_merged.level as facility_level,
    facility_merged.township_code,
    cast(summed.outpatient_count as integer) as outpatient_count,
    cast(summed.inpatient_count as integer) as inpatient_count,
    cast(summed.patient_count as integer) as patient_count,
    cast(summed.amount as numeric(16, 2)) as amount,
    cast(summed.fund_paid as numeric(16, 2)) as fund_paid,
    cast(summed.self_paid as numeric(16, 2)) as self_paid,
    cast(summed.inpatient_amount as numeric(16, 2)) as inpatient_amount,
    cast(summed.inpatient_days as numeric(9, 2)) as inpatient_days,
    cast(summed.repeat_count as integer) as repeat_count,
    cast(summed.reversed_count as integer) as reversed_count
from summed
left join facility_merged on summed.facility_code = facility_merged.facility_code
