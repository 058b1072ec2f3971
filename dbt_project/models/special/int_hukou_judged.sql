with veteran as (
    select * from {{ ref('int_veteran_served') }}
),

person as (
    select * from {{ ref('base_population__person') }}
),

namesake as (
    select * from {{ ref('int_namesake_quarantined') }}
    where entity = 'police.resident'
),

stated as (
    select
        veteran.person_key,
        case
            -- Only the police's register speaks of a hukou here; what others repeat is no evidence.
            when person.hukou_type is null or person.hukou_type_source <> 'police' then '公安无该人户口性质'
            when 'hukou_type' = any(person.conflicts) then '公安户口性质记录不一致'
            when person.left_on is not null then '户口已迁出本市'
            when
                exists (
                    select 1 from namesake
                    where namesake.person_key = veteran.person_key
                )
                then '公安有同名且证件号无效的记录'
        end as doubt,
        person.hukou_type
    from veteran
    left join person on veteran.person_key = person.person_key
)

-- A namesake's row casts doubt on a yes only: it never turns a no into an unknown.
select
    person_key,
    'rural_hukou' as condition_code,
    case
        when hukou_type = '2' and doubt = '公安有同名且证件号无效的记录' then 'not_met'
        when doubt is not null then 'unknown'
        when hukou_type = '1' then 'met'
        else 'not_met'
    end as verdict,
    'police' as source,
    coalesce(doubt, case hukou_type when '1' then '农业户口' else '非农业户口' end) as evidence,
    case when doubt is not null then '市公安局' end as holder_to_ask
from stated
