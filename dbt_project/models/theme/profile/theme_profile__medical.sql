-- Tags of care settled by medical insurance. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_medical_health__settlement': 'person_key',
        'theme_medical_health__person_year': 'person_key'
    },
    due_keys="{{ tags_due() }}",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

settlement as (
    select * from {{ ref('theme_medical_health__settlement') }}
    where {{ of_touched_people() }}
),

person_year as (
    select * from {{ ref('theme_medical_health__person_year') }}
    where {{ of_touched_people() }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

dated as (
    select
        settlement.*,
        settlement.settled_on >= date_trunc('month', build.as_of) - interval '11 months' as in_window,
        extract(year from build.as_of) - extract(year from settlement.settled_on) as years_ago
    from settlement
    cross join build
),

treated as (
    select
        person_key,
        max(settled_on) filter (where is_counted) as last_settled_on,
        count(*) filter (where is_reversed) as reversed_count,
        count(*) filter (where is_counted and in_window) as visits_12_months,
        count(*) filter (where is_counted and years_ago = 0) as visits_this_year,
        count(*) filter (where is_counted and years_ago = 1) as visits_last_year,
        count(*) filter (where is_counted and in_window and kind = '门诊') as outpatient_12_months,
        count(*) filter (where is_counted and in_window and kind = '住院') as inpatient_12_months,
        count(*) filter (where is_counted and years_ago = 0 and kind = '住院') as inpatient_this_year,
        count(*) filter (where is_counted and years_ago = 1 and kind = '住院') as inpatient_last_year,
        sum(settled_on - admitted_on) filter (where is_counted and in_window and kind = '住院') as days_12_months,
        sum(amount) filter (where is_counted and in_window) as amount_12_months,
        sum(self_paid) filter (where is_counted and in_window) as self_paid_12_months,
        count(distinct facility_code) filter (where is_counted and in_window) as facility_count_12_months,
        array_remove(array_agg(distinct diagnosis_chapter) filter (where is_counted and in_window), null)
            as chapters_12_months
    from dated
    group by person_key
),

burdened as (
    select
        person_year.person_key,
        bool_or(person_year.is_catastrophic and person_year.year = extract(year from build.as_of))
            as catastrophic_this_year,
        bool_or(person_year.is_catastrophic and person_year.year = extract(year from build.as_of) - 1)
            as catastrophic_last_year
    from person_year
    cross join build
    group by person_year.person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        treated.last_settled_on,
        treated.reversed_count,
        {%- for counted in [
            'visits_12_months', 'visits_this_year', 'visits_last_year', 'outpatient_12_months', 'inpatient_12_months',
            'inpatient_this_year', 'inpatient_last_year', 'days_12_months', 'facility_count_12_months'
        ] %}
        coalesce(treated.{{ counted }}, 0) as {{ counted }},
        {%- endfor %}
        treated.amount_12_months,
        treated.self_paid_12_months,
        treated.chapters_12_months,
        burdened.catastrophic_this_year,
        burdened.catastrophic_last_year
    from person
    cross join build
    left join treated on person.person_key = treated.person_key
    left join burdened on person.person_key = burdened.person_key
)

select {{ tags('subject') }}
from subject
