with veteran as (
    select * from {{ ref('int_veteran_served') }}
),

namesake as (
    select * from {{ ref('int_namesake_quarantined') }}
    where entity = 'veterans.service_record'
),

threshold as (
    select * from {{ ref('int_threshold_applied') }}
),

stated as (
    select
        veteran.person_key,
        veteran.enlisted_ons[1] as enlisted_on,
        veteran.enlisted_ons[1] between threshold.enlisted_from and threshold.enlisted_until
        and veteran.discharge_kinds[1] not in ('转业安置', '军官转业') as is_eligible,
        case
            when veteran.enlisted_ons[1] is null then '台账无可用的入伍时间'
            when cardinality(array_remove(veteran.enlisted_ons, null)) > 1 then '台账入伍时间不一致'
            when veteran.discharge_kinds[1] is null then '台账无退役方式'
            when cardinality(array_remove(veteran.discharge_kinds, null)) > 1 then '台账退役方式不一致'
        end as gap,
        case
            when array_position(veteran.enlisted_ons, null) > 1 then '台账另有入伍时间不明的记录'
            when array_position(veteran.discharge_kinds, null) > 1 then '台账另有退役方式不明的记录'
        end as blank,
        exists(
            select 1 from namesake
            where namesake.person_key = veteran.person_key
        ) as has_namesake
    from veteran
    cross join threshold
),

-- A blank beside a value, and a namesake's row, cast doubt on a yes only.
judged as (
    select
        person_key,
        enlisted_on,
        is_eligible,
        coalesce(gap, case
            when not is_eligible then null
            when blank is not null then blank
            when has_namesake then '台账有同名且证件号无效的记录'
        end) as doubt
    from stated
)

select
    person_key,
    'enlistment_time' as condition_code,
    case
        when doubt is not null then 'unknown'
        when is_eligible then 'met'
        else 'not_met'
    end as verdict,
    'veterans' as source,
    coalesce(doubt, '入伍时间 ' || to_char(enlisted_on, 'YYYY-MM-DD')) as evidence,
    case when doubt is not null then '市退役军人事务局' end as holder_to_ask
from judged
