-- A person's year of own payments against the threshold of catastrophic spending that holds for that year.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'theme_medical_health__settlement': 'person_key',
        'theme_social_security__support': 'person_key'
    },
    indexes=[{'columns': ['person_key', 'year'], 'unique': true}]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and person_key in (select cast(key as uuid) from {{ touched() }}){% endif %}
{%- endset %}

with settlement as (
    select * from {{ ref('theme_medical_health__settlement') }}
    where is_counted{{ of_touched }}
),

support as (
    select * from {{ ref('theme_social_security__support') }}
    where (in_assistance or is_monitored){{ of_touched }}
),

threshold as (
    select * from {{ ref('theme_medical_health_thresholds') }}
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

judged as (
    select
        accumulated.*,
        support.person_key is not null as is_supported,
        threshold.value as threshold
    from accumulated
    left join support on accumulated.person_key = support.person_key
    left join threshold
        on
            threshold.threshold_code = case
                when support.person_key is null then 'self_paid_year' else 'self_paid_year_supported'
            end
            and make_date(accumulated.year, 1, 1) >= threshold.valid_from
            and (threshold.valid_to is null or make_date(accumulated.year, 1, 1) < threshold.valid_to)
)

select
    person_key,
    year,
    cast(count(*) as integer) as settlement_count,
    cast(sum(amount) as numeric(14, 2)) as amount,
    cast(sum(self_paid) as numeric(14, 2)) as self_paid,
    bool_or(is_supported) as is_supported,
    cast(max(threshold) as numeric(14, 2)) as threshold,
    coalesce(sum(self_paid) > max(threshold), false) as is_catastrophic,
    min(settled_on) filter (where paid_so_far > threshold) as crossed_on
from judged
group by person_key, year
