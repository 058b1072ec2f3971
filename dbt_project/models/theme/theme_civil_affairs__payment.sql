-- A payment belongs to the township its receiver lived in on the last day of the month it pays for, or last in it.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'stg_civil_affairs__subsidy_payment': 'identifier_key',
        'stg_civil_affairs__subsidy_award': 'identifier_key',
        'base_population__identity': 'identifier_key',
        'base_population__residence': 'person_key'
    },
    touches={
        'person_key': 'person_key',
        'township_month': 'township_month'
    },
    indexes=[{'columns': ['person_key', 'payment_id'], 'unique': true}, {'columns': ['township_month']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with subsidy_payment as (
    select * from {{ ref('stg_civil_affairs__subsidy_payment') }}
    where is_usable{{ touched_keys }}
),

subsidy_award as (
    select * from {{ ref('stg_civil_affairs__subsidy_award') }}
    where is_usable{{ touched_keys }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ touched_keys }}
),

residence as (
    select * from {{ ref('base_population__residence') }}
    where true{{ touched_keys | replace('identifier_key', 'person_key') }}
),

-- One row an award, so that a repeated award row does not double its payments.
award_kind as (
    select
        identifier_key,
        award_no,
        min(subsidy_kind) as subsidy_kind
    from subsidy_award
    group by identifier_key, award_no
),

identified as (
    select
        subsidy_payment.payment_id,
        subsidy_payment.award_no,
        identity.person_key,
        award_kind.subsidy_kind,
        subsidy_payment.month,
        to_date(subsidy_payment.month, 'YYYYMM') as month_start,
        cast(to_date(subsidy_payment.month, 'YYYYMM') + interval '1 month' as date) as month_end,
        subsidy_payment.amount,
        subsidy_payment.paid_on
    from subsidy_payment
    inner join identity on subsidy_payment.identifier_key = identity.identifier_key
    left join award_kind
        on
            subsidy_payment.identifier_key = award_kind.identifier_key
            and subsidy_payment.award_no = award_kind.award_no
),

-- A number met twice is one payment, always the same one: chosen by its values, and only then placed.
placed as (
    select distinct on (identified.person_key, identified.payment_id)
        identified.*,
        residence.township_code
    from identified
    left join residence
        on
            identified.person_key = residence.person_key
            and (residence.from_date is null or identified.month_end > residence.from_date)
            and (residence.to_date is null or identified.month_start <= residence.to_date)
    order by
        identified.person_key asc, identified.payment_id asc,
        identified.month asc, identified.amount asc, identified.paid_on asc, identified.award_no asc,
        residence.residence_no desc nulls last
)

select
    payment_id,
    award_no,
    person_key,
    coalesce(subsidy_kind, '未知') as subsidy_kind,
    month,
    amount,
    paid_on,
    township_code,
    coalesce(township_code, '000000000') || '-' || month as township_month,
    row_number() over (partition by person_key, award_no, month order by paid_on, payment_id) > 1 as is_repeat
from placed
