-- Tags of assistance, subsidies, disability and watch against poverty, each a column of the YAML beside (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_social_security__support': 'person_key',
        'theme_social_security__entitlement': 'person_key',
        'theme_civil_affairs__assistance': 'person_key',
        'theme_civil_affairs__payment': 'person_key'
    },
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

support as (
    select * from {{ ref('theme_social_security__support') }}
    where {{ of_touched_people() }}
),

entitlement as (
    select * from {{ ref('theme_social_security__entitlement') }}
    where {{ of_touched_people() }}
),

assistance as (
    select * from {{ ref('theme_civil_affairs__assistance') }}
    where {{ of_touched_people() }}
),

payment as (
    select * from {{ ref('theme_civil_affairs__payment') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

granted as (
    select
        person_key,
        sum(monthly_amount) filter (where kind = '补贴' and is_in_force) as monthly_subsidy,
        array_agg(distinct detail) filter (where kind = '残疾人证' and is_in_force and detail is not null)
            as disability_kinds,
        min(ended_on) filter (where kind = '残疾人证' and is_in_force) as certificate_ends_on,
        min(detail) filter (where kind = '防返贫监测' and is_in_force) as monitored_kind,
        min(started_on) filter (where kind = '防返贫监测' and is_in_force) as monitored_since,
        count(*) filter (where kind = '防返贫监测' and not is_in_force) as past_monitored_count
    from entitlement
    group by person_key
),

assisted as (
    select
        person_key,
        min(approved_on) as assisted_since,
        min(ended_on) as assistance_ends_on
    from assistance
    group by person_key
),

paid as (
    select
        payment.person_key,
        sum(payment.amount) filter (
            where not payment.is_repeat
            and payment.month >= to_char(date_trunc('month', build.as_of) - interval '11 months', 'YYYYMM')
        ) as paid_12_months,
        sum(payment.amount) filter (
            where not payment.is_repeat
            and left(payment.month, 4) = to_char(build.as_of - interval '1 year', 'YYYY')
        ) as paid_last_year,
        count(*) filter (where payment.is_repeat) as repeat_count
    from payment
    cross join build
    group by payment.person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        coalesce(support.assistance_kinds, '{}') as assistance_kinds,
        coalesce(support.subsidy_kinds, '{}') as subsidy_kinds,
        coalesce(support.is_disabled, false) as is_disabled,
        coalesce(support.is_severely_disabled, false) as is_severely_disabled,
        support.disability_grade,
        coalesce(support.is_monitored, false) as is_monitored,
        coalesce(support.support_count, 0) as support_count,
        support.to_ask,
        granted.monthly_subsidy,
        granted.disability_kinds,
        granted.certificate_ends_on,
        granted.monitored_kind,
        granted.monitored_since,
        granted.past_monitored_count,
        assisted.assisted_since,
        assisted.assistance_ends_on,
        paid.paid_12_months,
        paid.paid_last_year,
        paid.repeat_count
    from person
    cross join build
    left join support on person.person_key = support.person_key
    left join granted on person.person_key = granted.person_key
    left join assisted on person.person_key = assisted.person_key
    left join paid on person.person_key = paid.person_key
)

select {{ tags('subject') }}
from subject
