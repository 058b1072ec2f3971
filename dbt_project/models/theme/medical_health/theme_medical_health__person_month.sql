-- What a person's month cost; repeated and reversed settlements do not count.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'theme_medical_health__settlement': 'person_key'},
    indexes=[{'columns': ['person_key', 'month'], 'unique': true}]
) }}

with settlement as (
    select * from {{ ref('theme_medical_health__settlement') }}
    where
        is_counted and has_number
        {% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
)

select
    person_key,
    month,
    (array_agg(township_code order by settled_on desc, settlement_no desc))[1] as township_code,
    cast(count(*) filter (where kind = '门诊') as integer) as outpatient_count,
    cast(count(*) filter (where kind = '住院') as integer) as inpatient_count,
    cast(coalesce(sum(settled_on - admitted_on) filter (where kind = '住院'), 0) as integer) as inpatient_days,
    cast(count(distinct facility_code) as integer) as facility_count,
    cast(sum(amount) as numeric(16, 2)) as amount,
    cast(sum(fund_paid) as numeric(16, 2)) as fund_paid,
    cast(sum(self_paid) as numeric(16, 2)) as self_paid
from settlement
group by person_key, month
