-- The head of an address: which city it names, which district, and what is left to read.
-- Hash joins only, as in int_address_named.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='address_key',
    touched_by={'int_address_listed': 'address_key', 'int_division_spelled': '*', 'base_region__division': '*'},
    indexes=[{'columns': ['address_key'], 'unique': true}],
    pre_hook=['set local enable_nestloop = off', 'set local enable_mergejoin = off']
) }}

with listed as (
    select * from {{ ref('int_address_listed') }}
    {% if is_incremental() %}where address_key in (select key from {{ touched() }}){% endif %}
),

spelled as (
    select * from {{ ref('int_division_spelled') }}
    where level = 'district'
),

city as (
    select
        left(region_code, 4) as city_code,
        regexp_replace(name, '(市|地区|自治州|盟)$', '') as short_name,
        name
    from {{ ref('base_region__division') }}
    where level = 'city' and successor_code is null
),

-- GB/T 2260: the first two digits of every code below.
province (code, name) as (
    values
    ('11', '北京'), ('12', '天津'), ('13', '河北'), ('14', '山西'), ('15', '内蒙古'), ('21', '辽宁'), ('22', '吉林'),
    ('23', '黑龙江'), ('31', '上海'), ('32', '江苏'), ('33', '浙江'), ('34', '安徽'), ('35', '福建'), ('36', '江西'),
    ('37', '山东'), ('41', '河南'), ('42', '湖北'), ('43', '湖南'), ('44', '广东'), ('45', '广西'), ('46', '海南'),
    ('50', '重庆'), ('51', '四川'), ('52', '贵州'), ('53', '云南'), ('54', '西藏'), ('61', '陕西'), ('62', '甘肃'),
    ('63', '青海'), ('64', '宁夏'), ('65', '新疆'), ('71', '台湾'), ('81', '香港'), ('82', '澳门')
),

province_words as (
    select string_agg(province.name, '|' order by province.code) as names
    from province
),

district_words as (
    select string_agg(spelled.stem, '|' order by length(spelled.stem) desc, spelled.stem) as names
    from spelled
    where spelled.confidence = 1
),

-- The words of the city as patterns. A name before 路 or 街 is a road's.
grammar as (
    select
        city.city_code,
        own.name as own_province,
        '^(?:中国)?(' || province_words.names || ')(?![东西南北中一二三]?大?[路街道巷])'
        || '(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区|(?=[一-鿿]{1,6}[市县区州盟]))' as province_pattern,
        '^(?:' || city.short_name || '(?:市(?!场)|地区|(?![东西南北中一二三前后]?(?:大?[路街]|巷|村)))){1,2}' as city_pattern,
        '(' || district_words.names || ')(?!场)' as district_pattern
    from city
    cross join province_words
    cross join district_words
    left join province as own on left(city.city_code, 2) = own.code
),

provincial as (
    select
        listed.*,
        grammar.*,
        substring(listed.address from grammar.province_pattern) as province_named,
        regexp_replace(listed.address, grammar.province_pattern, '') as behind_province
    from listed
    cross join grammar
),

municipal as (
    select
        *,
        regexp_replace(behind_province, city_pattern, '') as behind_city
    from provincial
),

-- Another 市 or 县 at the head, unless it is one of the city's own.
foreign_named as (
    select
        *,
        behind_city <> behind_province as names_city,
        substring(
            behind_city from '^([一-鿿]{1,4}?(?:市(?![场政区郊委内中府])|县))'
        ) as unit_named
    from municipal
),

begun as (
    select distinct on (foreign_named.address_key)
        foreign_named.address_key,
        spelled.region_code,
        spelled.confidence,
        length(spelled.stem) as stem_length
    from foreign_named
    inner join spelled
        on
            left(foreign_named.behind_city, 2) = spelled.opening
            and starts_with(foreign_named.behind_city, spelled.stem)
            and substr(foreign_named.behind_city, length(spelled.stem) + 1) ~ spelled.follows
    order by
        foreign_named.address_key asc, length(spelled.stem) desc, spelled.confidence desc, spelled.region_code asc
),

headed as (
    select
        foreign_named.*,
        begun.region_code,
        begun.confidence,
        coalesce(begun.stem_length, 0) as stem_length,
        coalesce(foreign_named.province_named <> foreign_named.own_province, false)
        or (
            begun.region_code is null and not foreign_named.names_city and length(foreign_named.unit_named) > 1
            and coalesce(foreign_named.unit_named !~ '[路街镇乡村]|[超夜早花菜城集门都]市$', false)
        ) as is_outside
    from foreign_named
    left join begun on foreign_named.address_key = begun.address_key
),

-- A district named further on: 三站市场(芝罘区前进路4号).
inner_read as (
    select
        address_key,
        substring(behind_city from district_pattern) as stem
    from headed
    where region_code is null and not is_outside
),

inner_named as (
    select
        inner_read.address_key,
        min(spelled.region_code) as region_code
    from inner_read
    inner join spelled on inner_read.stem = spelled.stem and spelled.confidence = 1
    group by inner_read.address_key
)

select
    headed.address_key,
    headed.address,
    headed.is_outside,
    headed.names_city,
    headed.city_code,
    case when not headed.is_outside then coalesce(headed.region_code, inner_named.region_code) end as district_code,
    case
        when headed.is_outside then null
        when headed.region_code is not null then headed.confidence
        when inner_named.region_code is not null then 0.80
    end::numeric(3, 2) as district_confidence,
    substr(headed.behind_city, headed.stem_length + 1) as text_behind
from headed
left join inner_named on headed.address_key = inner_named.address_key
