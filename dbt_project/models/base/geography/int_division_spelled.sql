-- How people write the names of the city's divisions: a stem, and what must stand behind it to mean the division.
-- A grammar, not a list of texts: the addresses are searched for stems by equality, then judged by the pattern.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='spelling_key',
    touched_by='everything',
    indexes=[{'columns': ['spelling_key'], 'unique': true}, {'columns': ['opening', 'district_code']}]
) }}

with division as (
    select
        *,
        coalesce(successor_code, region_code) as code_now
    from {{ ref('base_region__division') }}
),

city as (
    select
        region_code as code_now,
        name,
        regexp_replace(name, '(市|地区|自治州|盟)$', '') as short_name
    from division
    where level = 'city' and successor_code is null
),

-- A zone's name begins with its city's, which the address has said already: 烟台经济技术开发区.
district as (
    select
        division.code_now,
        division.name,
        regexp_replace(division.name, '^' || city.short_name || '市?', '') as local_name,
        case
            when division.name ~ '^[一-鿿]{2,}(市|区|县|自治县)$' and division.name !~ '(开发|高新|园|新)区$'
                then regexp_replace(division.name, '(市|区|自治县|县)$', '')
        end as stem
    from division
    inner join city on left(division.code_now, 4) = left(city.code_now, 4)
    where division.level = 'district'
),

-- Committees stand behind a village's name in the codes, 村 or 社区 in people's mouths.
village_named as (
    select
        division.code_now,
        regexp_replace(
            division.name, '(社区居民委员会|社区居委会|社区居|村?村民委员会|村?村委会|居民委员会|居委会|社区|村)$', ''
        ) as stem,
        regexp_replace(division.name, '(村民委员会|村委会|居民委员会|居委会|居)$', '') as name
    from division
    where division.level = 'village'
),

township_named as (
    select
        division.code_now,
        district.local_name as district_name,
        regexp_replace(
            regexp_replace(
                division.name, '^(' || city.short_name || '|[一-鿿]{2,3}省|[一-鿿]{2}' || city.short_name || ')', ''
            ),
            '(街道|街道办事处|民族乡|镇|乡)$', ''
        ) as stem,
        substring(division.name from '(街道|镇|乡)(?:办事处)?$') as kind
    from division
    inner join district on left(division.code_now, 6) = left(district.code_now, 6)
    cross join city
    where division.level = 'township'
),

district_spelled as (
    select code_now, name as stem, '^(?!场)' as follows, 1.00 as confidence from district
    union all
    select code_now, local_name as stem, '' as follows, 0.95 as confidence from district
    where local_name <> name
    union all
    select district.code_now, zone_written.stem, '' as follows, 0.90 as confidence
    from district
    cross join
        lateral (
            values
            (replace(district.local_name, '经济技术开发区', '开发区')),
            (replace(district.local_name, '经济技术开发区', '经济开发区')),
            (replace(district.local_name, '经济技术开发区', '技术开发区')),
            (replace(district.local_name, '高新技术产业开发区', '高新区')),
            (replace(district.local_name, '高新技术产业开发区', '高新技术开发区')),
            (replace(district.local_name, '高新技术产业开发区', '高新技术产业区')),
            (replace(district.local_name, '高新技术产业开发区', '高新技术产业园区'))
        ) as zone_written (stem)
    where zone_written.stem <> district.local_name
    union all
    -- A county that became a city or a district keeps its name's stem.
    select district.code_now, district.stem || unit.word as stem, '^(?!场)' as follows, 0.95 as confidence
    from district
    cross join (values ('市'), ('区'), ('县')) as unit (word)
    where district.stem || unit.word <> district.name
    union all
    -- The bare name, unless it begins the name of a road or a house: 莱州路, 福山大厦.
    select
        code_now,
        stem,
        '^(?![东西南北中一二三]?'
        || '(大?[路街]|巷|道|里|屯|岛|胡同|桥|港|河|山|大厦|宾馆|酒店|商|广场|公司|村|镇|乡|社区))' as follows,
        0.80 as confidence
    from district
    where length(stem) > 1
),

-- What people write behind a township's name; an older kind of unit (镇 for what is a 街道 now) is less sure.
township_form (kind, follows, confidence) as (
    values
    ('街道', '^(街道办事处|街道办|街道|办事处|街办|办(?!公))', 0.98),
    ('街道', '^[镇乡]', 0.85),
    ('镇', '^镇', 0.98),
    ('镇', '^(街道办事处|街道办|街道|办事处|街办|办(?!公)|乡)', 0.85),
    ('乡', '^乡', 0.98),
    ('乡', '^(街道办事处|街道办|街道|办事处|街办|办(?!公)|镇)', 0.85)
),

township_spelled as (
    select township_named.code_now, township_named.stem, township_form.follows, township_form.confidence
    from township_named
    inner join township_form on township_named.kind = township_form.kind
    union all
    select
        code_now,
        stem,
        '^(工业|经济|民营|私营|石材|驻地|政府|开发区|村|居委|社区|[^一-鿿]|$)' as follows,
        0.65 as confidence
    from township_named
    where kind is not null
    union all
    -- 文昌路街道 is called 文昌街道, 文昌办.
    select
        code_now,
        left(stem, -1) as stem,
        '^(街道办事处|街道办|街道|办事处|街办|办(?!公)|镇)' as follows,
        0.90 as confidence
    from township_named
    where stem like '%路'
    union all
    select code_now, stem, '' as follows, 0.98 as confidence from township_named
    where kind is null
    union all
    -- A zone without the district's name before it.
    select
        code_now,
        regexp_replace(stem, '^' || regexp_replace(district_name, '(市|区|县)$', ''), '') as stem,
        '' as follows,
        0.80 as confidence
    from township_named
    where kind is null
),

village_form (follows, confidence) as (
    values
    ('^(村民委员会|村委|居民委员会|居委|社区|村(?![东西南北中]?[路街镇乡河]))', 0.95),
    ('^([东西南北]{0,2}([首侧面头边端部]|$|[^一-鿿])|驻地|院内)', 0.80)
),

village_spelled as (
    select
        village_named.code_now,
        village_named.stem,
        village_form.follows,
        village_form.confidence,
        township_named.stem as township_stem
    from village_named
    left join township_named on left(village_named.code_now, 9) = left(township_named.code_now, 9)
    cross join village_form
    -- A committee may have its name from a road: 青年路30号 is not all in 青年路社区.
    where village_form.confidence > 0.9 or village_named.stem !~ '[路街巷里]$'
    union all
    -- Of 井村 too little would be left.
    select
        village_named.code_now,
        village_named.name as stem,
        '' as follows,
        0.95 as confidence,
        township_named.stem as township_stem
    from village_named
    left join township_named on left(village_named.code_now, 9) = left(township_named.code_now, 9)
    where length(village_named.stem) = 1
),

combined as (
    select 'district' as level, code_now, stem, follows, confidence, null as township_stem from district_spelled
    union all
    select 'township' as level, code_now, stem, follows, confidence, null as township_stem from township_spelled
    union all
    select 'village' as level, code_now, stem, follows, confidence, township_stem from village_spelled
)

select
    md5(concat_ws('|', level, code_now, stem, follows, township_stem))::uuid as spelling_key,
    level,
    case level
        when 'district' then left(code_now, 6)
        when 'township' then left(code_now, 9)
        else code_now
    end as region_code,
    left(code_now, 6) as district_code,
    stem,
    left(stem, 2) as opening,
    follows,
    township_stem,
    max(confidence)::numeric(3, 2) as confidence
from combined
where length(stem) > 1
group by level, code_now, stem, follows, township_stem
