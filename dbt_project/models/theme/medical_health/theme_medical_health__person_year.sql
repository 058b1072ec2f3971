-- A person's year of own payments against the threshold of catastrophic spending that holds for that year: the lower
-- one for who was in assistance or on the watch list on any day of it.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'theme_medical_health__settlement': 'person_key',
        'theme_social_security__entitlement': 'person_key',
        'int_assistance_dated': 'person_key'
    },
    indexes=[{'columns': ['person_key', 'year'], 'unique': true}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with settlement as (
    select * from {{ ref('theme_medical_health__settlement') }}
    where is_counted and has_number{{ of_touched }}
),

entitlement as (
    select * from {{ ref('theme_social_security__entitlement') }}
    where kind = '防返贫监测'{{ of_touched }}
),

assistance as (
    select * from {{ ref('int_assistance_dated') }}
    where true{{ of_touched }}
),

threshold as (
    select * from {{ ref('theme_medical_health_thresholds') }}
),

supported_time as (
    select
        person_key,
        started_on as from_date,
        ended_on as to_date
    from entitlement
    union all
    select
        person_key,
        approved_on as from_date,
        ended_on as to_date
    from assistance
),

accumulated as (
    select
        person_key,
        cast(extract(year from settled_on) as integer) as year,
        settled_on,
        amount,
        self_paid,
        sum(self_paid) over (
            partition by person_key, extract(year from settled_on) order by settled_on, settlement_no
        ) as paid_so_far
    from settlement
),

paid_year as (
    select distinct
        person_key,
        year
    from accumulated
),

supported_year as (
    select distinct
        paid_year.person_key,
        paid_year.year
    from paid_year
    inner join supported_time
        on
            paid_year.person_key = supported_time.person_key
            and (supported_time.from_date is null or supported_time.from_date < make_date(paid_year.year + 1, 1, 1))
            and (supported_time.to_date is null or supported_time.to_date > make_date(paid_year.year, 1, 1))
),

judged as (
    select
        accumulated.*,
        supported_year.person_key is not null as is_supported,
        threshold.value as threshold
    from accumulated
    left join supported_year
        on accumulated.person_key = supported_year.person_key and accumulated.year = supported_year.year
    left join threshold
        on
            threshold.threshold_code = case
                when supported_year.person_key is null then 'self_paid_year' else 'self_paid_year_supported'
            end
            and make_date(accumulated.year, 1, 1) >= threshold.valid_from
            and (threshold.valid_to is null or make_date(accumulated.year, 1, 1) < threshold.valid_to)
)

select
    person_key,
    year,
    cast(count(*) as integer) as settlement_count,
    cast(sum(amount) as numeric(16, 2)) as amount,
    cast(sum(self_paid) as numeric(16, 2)) as self_paid,
    bool_or(is_supported) as is_supported,
    cast(max(threshold) as numeric(14, 2)) as threshold,
    coalesce(sum(self_paid) > max(threshold), false) as is_catastrophic,
    min(settled_on) filter (where paid_so_far > threshold) as crossed_on
from judged
group by person_key, year
