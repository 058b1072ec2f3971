-- Alive needs every register of deaths silent and the police register speaking; dead needs two of them to say so.
with veteran as (
    select * from {{ ref('int_veteran_served') }}
),

person as (
    select * from {{ ref('base_population__person') }}
),

death as (
    select * from {{ ref('stg_health__death') }}
),

cancellation as (
    select * from {{ ref('stg_police__cancellation') }}
),

namesake as (
    select * from {{ ref('int_namesake_quarantined') }}
    where entity in ('health.death', 'police.cancellation')
),

coverage as (
    select * from {{ ref('int_source_covered') }}
),

stated as (
    select
        veteran.person_key,
        person.death_sources,
        coalesce(cardinality(person.death_sources) > 1, false) as is_dead,
        case
            when not coverage.has_deaths then '卫健死亡登记尚未归集'
            when not coverage.has_cancellations then '公安注销登记尚未归集'
            when not coalesce(person.in_police, false) then '公安人口库查无此人'
            when person.death_sources = array['health'] then '仅卫健有死亡登记，公安未注销'
            when person.death_sources = array['police'] then '仅公安注销，卫健无死亡登记'
            when person.death_sources = array['funeral'] then '仅有火化记录，卫健与公安均无死亡登记'
            when person.left_on is not null then '户口已迁出本市'
            when not person.is_resident then '公安户籍状态不是正常'
            when
                exists (
                    select 1 from death
                    where death.identifier_key = veteran.person_key and not death.is_usable
                )
                or exists (
                    select 1 from cancellation
                    where cancellation.identifier_key = veteran.person_key and not cancellation.is_usable
                )
                then '有该人内容不可用的死亡或注销记录'
            when
                exists (
                    select 1 from namesake
                    where namesake.person_key = veteran.person_key
                )
                then '有同名且证件号无效的死亡或注销记录'
            when cardinality(veteran.names) = 0 then '姓名不详，无法排除同名记录'
        end as doubt
    from veteran
    cross join coverage
    left join person on veteran.person_key = person.person_key
)

select
    person_key,
    'alive' as condition_code,
    case
        when is_dead then 'not_met'
        when doubt is not null then 'unknown'
        else 'met'
    end as verdict,
    case when cardinality(death_sources) = 1 then death_sources[1] else 'police' end as source,
    case
        when death_sources @> array['health', 'police'] then '卫健与公安均登记死亡'
        when is_dead then '火化记录与另一登记均载明死亡'
        else coalesce(doubt, '公安户籍正常，无死亡登记')
    end as evidence,
    case
        when is_dead or doubt is null then null
        when doubt in ('仅公安注销，卫健无死亡登记', '卫健死亡登记尚未归集') then '市卫生健康委员会'
        else '市公安局'
    end as holder_to_ask
from stated
