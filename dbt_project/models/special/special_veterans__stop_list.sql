-- Awards whose next payment must not go out: the receiver died by any evidence, or it is over and payments go on.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={
        'base_population__person': 'person_key',
        'theme_civil_affairs__payment': 'person_key',
        'stg_civil_affairs__subsidy_award': 'identifier_key'
    },
    touches={'person_key': 'person_key'},
    due_keys="
        select identifier_key from {{ ref('stg_civil_affairs__subsidy_award') }}
        where {{ fell_due('ended_on') }}
    ",
    indexes=[{'columns': ['person_key', 'award_no'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

-- An award whose end nobody can read must not be paid to the dead either.
with subsidy_award as (
    select * from {{ ref('stg_civil_affairs__subsidy_award') }}
    where
        (is_usable or quarantine_reasons <@ array['ended_on_invalid'])
        {{- touched_keys | replace('person_key in', 'identifier_key in') }}
),

person as (
    select * from {{ ref('base_population__person') }}
    where true{{ touched_keys }}
),

payment as (
    select * from {{ ref('theme_civil_affairs__payment') }}
    where true{{ touched_keys }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

-- The earlier of death and end stops an award; the month it falls in is still paid.
stopped as (
    select
        subsidy_award.award_no,
        person.person_key,
        subsidy_award.subsidy_kind,
        person.township_code,
        subsidy_award.ended_on,
        person.death_sources,
        cardinality(person.death_sources) > 0
        and (subsidy_award.ended_on is null or subsidy_award.ended_on >= person.died_on) as is_stopped_by_death,
        least(
            person.died_on,
            case when subsidy_award.ended_on <= (select build.as_of from build) then subsidy_award.ended_on end
        ) as stop_on
    from subsidy_award
    inner join person on subsidy_award.identifier_key = person.person_key
    where
        cardinality(person.death_sources) > 0
        or subsidy_award.ended_on <= (select build.as_of from build)
),

paid_after as (
    select
        stopped.person_key,
        stopped.award_no,
        max(payment.month) as last_paid_month,
        cast(count(*) as integer) as payments_after_stop,
        cast(sum(payment.amount) as numeric(14, 2)) as amount_after_stop
    from stopped
    inner join payment
        on
            stopped.person_key = payment.person_key
            and stopped.award_no = payment.award_no
            and payment.month > to_char(stopped.stop_on, 'YYYYMM')
    group by stopped.person_key, stopped.award_no
)

select
    stopped.award_no,
    stopped.person_key,
    stopped.subsidy_kind,
    stopped.township_code,
    stopped.stop_on,
    case when stopped.is_stopped_by_death then '死亡' else '待遇到期仍在发放' end as reason,
    stopped.death_sources,
    stopped.ended_on,
    paid_after.last_paid_month,
    coalesce(paid_after.payments_after_stop, 0) as payments_after_stop,
    cast(coalesce(paid_after.amount_after_stop, 0) as numeric(14, 2)) as amount_after_stop
from stopped
left join paid_after
    on
        stopped.person_key = paid_after.person_key
        and stopped.award_no = paid_after.award_no
where
    paid_after.award_no is not null
    or (
        stopped.is_stopped_by_death
        and (stopped.ended_on is null or stopped.ended_on > (select build.as_of from build))
    )
