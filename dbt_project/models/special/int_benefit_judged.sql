with veteran as (
    select * from {{ ref('int_veteran_served') }}
),

subsidy_award as (
    select * from {{ ref('stg_civil_affairs__subsidy_award') }}
),

namesake as (
    select * from {{ ref('int_namesake_quarantined') }}
    where entity = 'civil_affairs.subsidy_award'
),

coverage as (
    select * from {{ ref('int_source_covered') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

stated as (
    select
        veteran.person_key,
        coalesce(own.has_benefit, false) as has_benefit,
        case
            when not coverage.has_awards then '民政补贴数据尚未归集'
            when own.has_unclear then '民政有该人类别或期限不明的补贴记录'
            when
                exists (
                    select 1 from namesake
                    where namesake.person_key = veteran.person_key
                )
                then '民政有同名且证件号无效的记录'
            when cardinality(veteran.names) = 0 then '姓名不详，无法排除同名记录'
        end as doubt
    from veteran
    cross join coverage
    left join lateral (
        select
            bool_or(
                subsidy_award.is_usable
                and subsidy_award.subsidy_kind = '定期抚恤'
                and subsidy_award.started_on <= (select build.as_of from build)
                and (subsidy_award.ended_on is null or subsidy_award.ended_on > (select build.as_of from build))
            ) as has_benefit,
            bool_or(
                subsidy_award.subsidy_kind is null
                or (
                    subsidy_award.subsidy_kind = '定期抚恤'
                    and (not subsidy_award.is_usable or subsidy_award.started_on is null)
                    and (subsidy_award.ended_on is null or subsidy_award.ended_on > (select build.as_of from build))
                )
            ) as has_unclear
        from subsidy_award
        where subsidy_award.identifier_key = veteran.person_key
    ) as own on true
)

select
    person_key,
    'no_regular_benefit' as condition_code,
    case
        when has_benefit then 'not_met'
        when doubt is not null then 'unknown'
        else 'met'
    end as verdict,
    'civil_affairs' as source,
    case
        when has_benefit then '正在享受定期抚恤'
        else coalesce(doubt, '无在享的定期抚恤')
    end as evidence,
    case when not has_benefit and doubt is not null then '市民政局' end as holder_to_ask
from stated
