with veteran as (
    select * from {{ ref('int_veteran_served') }}
),

person as (
    select * from {{ ref('base_population__person') }}
),

threshold as (
    select * from {{ ref('int_threshold_applied') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

stated as (
    select
        veteran.person_key,
        person.birth_date,
        person.birth_date_source,
        coalesce('birth_date' = any(person.conflicts), false) as is_contradicted,
        cast(
            person.birth_date + make_interval(years => (select threshold.age_years from threshold)) as date
        ) as reached_on
    from veteran
    left join person on veteran.person_key = person.person_key
)

select
    person_key,
    'age_60' as condition_code,
    case
        when is_contradicted or reached_on is null then 'unknown'
        when reached_on <= (select build.as_of from build) then 'met'
        else 'not_met'
    end as verdict,
    coalesce(birth_date_source, 'police') as source,
    case
        when is_contradicted then '各来源出生日期不一致'
        when birth_date is null then '无出生日期'
        else '出生日期 ' || to_char(birth_date, 'YYYY-MM-DD')
    end as evidence,
    case when is_contradicted or reached_on is null then '市公安局' end as holder_to_ask
from stated
