-- Tags of social insurance and the provident fund. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_social_security__insurance': 'person_key',
        'theme_housing__provident_fund': 'person_key'
    },
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

insurance as (
    select * from {{ ref('theme_social_security__insurance') }}
    where {{ of_touched_people() }}
),

provident_fund as (
    select * from {{ ref('theme_housing__provident_fund') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

insured as (
    select
        person_key,
        count(*) filter (where is_in_force) as in_force_count,
        count(*) filter (where status = '停保') as stopped_count,
        count(*) filter (where is_drawn_after_death) as after_death_count,
        array_agg(distinct insurance_kind) filter (where is_in_force) as kinds,
        array_agg(distinct insurance_kind) filter (where is_in_force and status = '参保') as paying_kinds,
        array_agg(distinct insurance_kind) filter (where is_in_force and status = '领取') as drawing_kinds,
        sum(monthly_benefit) filter (where is_in_force and status = '领取') as monthly_benefit,
        min(started_on) as first_started_on,
        max(ended_on) filter (where status = '停保') as last_stopped_on
    from insurance
    group by person_key
),

-- A person with two numbers may have two accounts; the amounts add up.
funded as (
    select
        person_key,
        min(status) as fund_status,
        sum(account_count) as fund_account_count,
        sum(monthly_deposit) as monthly_deposit,
        sum(balance) as fund_balance,
        max(paid_until) as paid_until,
        sum(open_loan_count) as open_loan_count,
        max(overdue_months) as overdue_months
    from provident_fund
    group by person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        coalesce(insured.in_force_count, 0) as in_force_count,
        insured.stopped_count,
        insured.after_death_count,
        coalesce(insured.kinds, '{}') as kinds,
        coalesce(insured.paying_kinds, '{}') as paying_kinds,
        coalesce(insured.drawing_kinds, '{}') as drawing_kinds,
        insured.monthly_benefit,
        insured.first_started_on,
        insured.last_stopped_on,
        funded.fund_status,
        funded.fund_account_count,
        funded.monthly_deposit,
        funded.fund_balance,
        funded.paid_until,
        funded.open_loan_count,
        funded.overdue_months
    from person
    cross join build
    left join insured on person.person_key = insured.person_key
    left join funded on person.person_key = funded.person_key
)

select {{ tags('subject') }}
from subject
