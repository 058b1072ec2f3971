-- The credit of everyone on record: 1,000 points, and what each record adds or takes while it lasts.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='subject_key',
    touched_by={'base_credit__record': 'subject_key', 'int_credit_weighed': '*', 'int_credit_graded': '*'},
    touches={
        'subject_key': 'subject_key', 'person_key': 'person_key', 'organisation_key': 'organisation_key'
    },
    due_keys="
        select record.subject_key from {{ ref('base_credit__record') }} as record
        left join {{ ref('int_credit_weighed') }} as weight
            on record.record_kind = weight.record_kind and record.category = weight.category
        cross join lateral (
            values
            (record.decided_on),
            (record.valid_until + 1),
            (cast(record.decided_on + make_interval(months => weight.lasts_months) as date))
        ) as turning (point)
        where {{ fell_due('turning.point') }}
    ",
    indexes=[{'columns': ['subject_key'], 'unique': true}, {'columns': ['person_key']}]
) }}

with record as (
    select * from {{ ref('base_credit__record') }}
    where
        subject_key is not null
        {% if is_incremental() %} and subject_key in (select key from {{ touched() }}){% endif %}
),

weight as (
    select * from {{ ref('int_credit_weighed') }}
),

grade as (
    select * from {{ ref('int_credit_graded') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

repair as (
    select
        subject_key,
        repairs_no,
        min(decided_on) as repaired_on
    from record
    where record_kind = '修复' and decided_on <= (select build.as_of from build)
    group by subject_key, repairs_no
),

-- A record counts from its decision until it lapses or its time is over; mended, it counts as far as the weight says.
counted as (
    select
        record.*,
        repair.repaired_on,
        weight.weight_valid_from,
        case
            when repair.repaired_on is null then weight.points
            else round(weight.points * weight.repaired_share)
        end as points
    from record
    cross join build
    left join weight on record.record_kind = weight.record_kind and record.category = weight.category
    left join repair on record.subject_key = repair.subject_key and record.record_no = repair.repairs_no
    where
        record.record_kind <> '修复'
        and not record.is_repeat
        and record.decided_on <= build.as_of
        and (record.valid_until is null or record.valid_until >= build.as_of)
        and (
            weight.lasts_months is null
            or record.decided_on + make_interval(months => weight.lasts_months) > build.as_of
        )
),

summed as (
    select
        subject_key,
        cast(greatest(0, least(1200, 1000 + sum(coalesce(points, 0)))) as integer) as score,
        cast(count(*) filter (where record_kind = '奖励') as integer) as reward_count,
        cast(count(*) filter (where record_kind = '处罚' and repaired_on is null) as integer) as penalty_count,
        cast(count(*) filter (where record_kind = '失信名单' and repaired_on is null) as integer) as listing_count,
        cast(count(*) filter (where repaired_on is not null) as integer) as repaired_count,
        jsonb_agg(
            jsonb_build_object(
                'record_no', record_no, 'record_kind', record_kind, 'category', category, 'decided_on', decided_on,
                'repaired_on', repaired_on, 'points', points, 'weight_valid_from', weight_valid_from
            )
            order by decided_on, record_no
        ) as explanation
    from counted
    group by subject_key
),

subject as (
    select
        subject_key,
        person_key,
        organisation_key,
        min(subject_kind) as subject_kind
    from record
    group by subject_key, person_key, organisation_key
),

scored as (
    select
        subject.*,
        coalesce(summed.score, 1000) as score,
        coalesce(summed.reward_count, 0) as reward_count,
        coalesce(summed.penalty_count, 0) as penalty_count,
        coalesce(summed.listing_count, 0) as listing_count,
        coalesce(summed.repaired_count, 0) as repaired_count,
        coalesce(summed.explanation, '[]') as explanation
    from subject
    left join summed on subject.subject_key = summed.subject_key
)

select distinct on (scored.subject_key)
    scored.subject_key,
    scored.subject_kind,
    scored.person_key,
    scored.organisation_key,
    scored.score,
    grade.grade,
    scored.reward_count,
    scored.penalty_count,
    scored.listing_count,
    scored.repaired_count,
    scored.explanation
from scored
left join grade on scored.score >= grade.least_score
order by scored.subject_key asc, grade.least_score desc
