-- What each account used in a month. The smallest uses tell a home in which nobody lives.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='account_key',
    touched_by={
        'stg_power__usage': 'account_key',
        'stg_power__account': 'account_key',
        'stg_utilities__usage': 'account_key',
        'stg_utilities__account': 'account_key',
        'base_region__division': '*'
    },
    touches={'account_key': 'account_key', 'home_key': 'home_key', 'township_month': 'township_month'},
    indexes=[
        {'columns': ['account_key', 'month'], 'unique': true},
        {'columns': ['home_key']},
        {'columns': ['township_month']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and account_key in (select key from {{ touched() }}){% endif %}
{%- endset %}
{#- Below these a month is one without people: kilowatt-hours, cubic metres. Who lives alone uses 40 and 1.2. -#}
{%- set power_limit, water_limit, gas_limit = 20, 0.5, 0.5 %}

with power_usage as (
    select * from {{ ref('stg_power__usage') }}
    where is_usable{{ touched_keys }}
),

power_account as (
    select * from {{ ref('stg_power__account') }}
    where is_usable{{ touched_keys }}
),

utility_usage as (
    select * from {{ ref('stg_utilities__usage') }}
    where is_usable{{ touched_keys }}
),

utility_account as (
    select * from {{ ref('stg_utilities__account') }}
    where is_usable{{ touched_keys }}
),

division as (
    select * from {{ ref('base_region__division') }}
    where level = 'township'
),

metered as (
    select
        bill.account_key, bill.month, bill.quantity, bill.amount, bill.bill_no,
        coalesce(metered_at.kind, '居民生活用电') as kind, metered_at.home_key, metered_at.township_code
    from power_usage as bill
    inner join power_account as metered_at on bill.account_key = metered_at.account_key
    union all
    select
        bill.account_key, bill.month, bill.quantity, bill.amount, bill.bill_no,
        metered_at.kind, metered_at.home_key, metered_at.township_code
    from utility_usage as bill
    inner join utility_account as metered_at on bill.account_key = metered_at.account_key
),

-- A month billed twice counts once.
billed as (
    select distinct on (account_key, month) *
    from metered
    order by account_key asc, month asc, quantity desc, amount desc nulls last, bill_no asc
),

placed as (
    select
        billed.*,
        coalesce(left(division.successor_code, 9), billed.township_code) as township_now
    from billed
    left join division on billed.township_code = left(division.region_code, 9)
)

select
    account_key,
    month,
    kind,
    home_key,
    township_now as township_code,
    coalesce(township_now, '000000000') || '-' || month as township_month,
    quantity,
    amount,
    case kind
        when '居民生活用电' then quantity < {{ power_limit }}
        when '供水' then quantity < {{ water_limit }}
        when '供气' then quantity < {{ gas_limit }}
    end as is_low
from placed
