-- What each organisation paid for each month.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by={
        'theme_taxation__payment': 'organisation_key',
        'base_legal_person__organisation': 'organisation_key'
    },
    touches={'organisation_key': 'organisation_key', 'district_month': 'district_month'},
    indexes=[{'columns': ['organisation_key', 'period'], 'unique': true}, {'columns': ['district_month']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and organisation_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with payment as (
    select * from {{ ref('theme_taxation__payment') }}
    where organisation_key is not null{{ touched_keys }}
),

organisation as (
    select * from {{ ref('base_legal_person__organisation') }}
    where true{{ touched_keys }}
),

summed as (
    select
        organisation_key,
        period,
        cast(coalesce(sum(amount) filter (where tax = '增值税'), 0) as numeric(16, 2)) as vat,
        cast(coalesce(sum(amount) filter (where tax = '企业所得税'), 0) as numeric(16, 2)) as income_tax,
        cast(coalesce(sum(amount) filter (where tax = '个人所得税'), 0) as numeric(16, 2)) as personal_tax,
        cast(sum(amount) as numeric(16, 2)) as amount,
        cast(count(*) as integer) as payment_count,
        cast(count(*) filter (where days_late > 0) as integer) as late_count
    from payment
    group by organisation_key, period
)

select
    summed.organisation_key,
    summed.period,
    organisation.subject_kind,
    organisation.district_code,
    coalesce(organisation.district_code, 'unknown') || '-' || summed.period as district_month,
    summed.vat,
    summed.income_tax,
    summed.personal_tax,
    summed.amount,
    summed.payment_count,
    summed.late_count
from summed
left join organisation on summed.organisation_key = organisation.organisation_key
