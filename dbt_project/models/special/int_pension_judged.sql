with veteran as (
    select * from {{ ref('int_veteran_served') }}
),

insurance as (
    select * from {{ ref('stg_social_security__insurance') }}
),

namesake as (
    select * from {{ ref('int_namesake_quarantined') }}
    where entity = 'social_security.insurance'
),

coverage as (
    select * from {{ ref('int_source_covered') }}
),

-- A row of this very person that cannot be read through may be an employee pension: it leaves the question open.
stated as (
    select
        veteran.person_key,
        coalesce(own.has_pension, false) as has_pension,
        case
            when not coverage.has_insurance then '社保参保数据尚未归集'
            when own.has_unclear then '社保有该人险种或状态不明的记录'
            when
                exists (
                    select 1 from namesake
                    where namesake.person_key = veteran.person_key
                )
                then '社保有同名且证件号无效的记录'
            when cardinality(veteran.names) = 0 then '姓名不详，无法排除同名记录'
        end as doubt
    from veteran
    cross join coverage
    left join lateral (
        select
            bool_or(
                insurance.is_usable and insurance.insurance_kind = '职工养老' and insurance.status in ('参保', '领取')
            ) as has_pension,
            bool_or(
                insurance.insurance_kind is null
                or (insurance.insurance_kind = '职工养老' and (not insurance.is_usable or insurance.status is null))
            ) as has_unclear
        from insurance
        where insurance.identifier_key = veteran.person_key
    ) as own on true
)

select
    person_key,
    'no_employee_pension' as condition_code,
    case
        when has_pension then 'not_met'
        when doubt is not null then 'unknown'
        else 'met'
    end as verdict,
    'social_security' as source,
    case
        when has_pension then '职工养老参保或领取中'
        else coalesce(doubt, '无职工养老参保或领取记录')
    end as evidence,
    case when not has_pension and doubt is not null then '市人力资源和社会保障局' end as holder_to_ask
from stated
