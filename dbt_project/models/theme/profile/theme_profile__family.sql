-- Tags of household and kin. Each is a column of the YAML beside, with its rule (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'base_population__person': 'person_key', 'base_population__kinship': 'person_key'},
    due_keys="
        {{ tags_due() }}
        union all
        {{ family_due() }}
    ",
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where {{ of_touched_people() }}
),

kinship as (
    select * from {{ ref('base_population__kinship') }}
    where kind in ('spouse', 'parent', 'child') and {{ of_touched_people() }}
),

relative as not materialized (
    select * from {{ ref('base_population__person') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

household as (
    select
        member.household_no,
        count(*) as household_size,
        count(*) filter (where member.birth_date <= build.as_of - interval '60 years') as household_elderly,
        count(*) filter (where member.birth_date > build.as_of - interval '18 years') as household_minors,
        count(*) filter (where member.relation in ('01', '02')) as household_heads
    from relative as member
    cross join build
    where
        member.is_resident
        {%- if is_incremental() %}
        and member.household_no in (select person.household_no from person)
        {%- endif %}
    group by member.household_no
),

related as (
    select
        kinship.person_key,
        kinship.relative_key,
        kinship.kind,
        kinship.from_date,
        kinship.to_date,
        kinship.end_reason,
        kinship.to_date is null and kinship.end_reason is null and relative.died_on is null as stands,
        relative.birth_date > build.as_of - interval '18 years' as is_minor,
        relative.birth_date > build.as_of - interval '3 years' as is_infant,
        relative.birth_date <= build.as_of - interval '60 years' as is_elderly,
        relative.is_resident and relative.household_no = person.household_no as is_at_home
    from kinship
    cross join build
    inner join person on kinship.person_key = person.person_key
    left join relative on kinship.relative_key = relative.person_key
),

kin as (
    select
        person_key,
        count(distinct relative_key) filter (where kind = 'spouse' and stands) as spouse_count,
        count(distinct relative_key) filter (where kind = 'spouse') as ever_spouse_count,
        max(from_date) filter (where kind = 'spouse' and stands) as married_on,
        max(to_date) filter (where kind = 'spouse' and end_reason = '离婚') as last_divorced_on,
        max(to_date) filter (where kind = 'spouse' and end_reason = '死亡') as last_widowed_on,
        count(distinct relative_key) filter (where kind = 'child' and stands) as child_count,
        count(distinct relative_key) filter (where kind = 'child' and end_reason = '死亡') as dead_child_count,
        count(distinct relative_key) filter (where kind = 'child' and stands and is_minor) as minor_child_count,
        count(distinct relative_key) filter (where kind = 'child' and stands and is_infant) as infant_child_count,
        count(distinct relative_key) filter (where kind = 'child' and stands and is_at_home) as child_at_home_count,
        count(distinct relative_key) filter (where kind = 'parent' and stands) as parent_count,
        count(distinct relative_key) filter (where kind = 'parent' and end_reason = '死亡') as dead_parent_count,
        count(distinct relative_key) filter (where kind = 'parent' and stands and is_elderly) as elderly_parent_count,
        count(distinct relative_key) filter (where kind = 'parent' and stands and is_at_home) as parent_at_home_count
    from related
    group by person_key
),

subject as materialized (
    select
        {{ tag_basics() }},
        person.relation,
        {%- for counted in ['household_size', 'household_elderly', 'household_minors', 'household_heads'] %}
        case when person.is_resident then household.{{ counted }} end as {{ counted }},
        {%- endfor %}
        {%- for counted in [
            'spouse_count', 'ever_spouse_count', 'child_count', 'dead_child_count', 'minor_child_count',
            'infant_child_count', 'child_at_home_count', 'parent_count', 'dead_parent_count', 'elderly_parent_count',
            'parent_at_home_count'
        ] %}
        coalesce(kin.{{ counted }}, 0) as {{ counted }},
        {%- endfor %}
        kin.married_on,
        kin.last_divorced_on,
        kin.last_widowed_on
    from person
    cross join build
    left join household on person.household_no = household.household_no
    left join kin on person.person_key = kin.person_key
)

select {{ tags('subject') }}
from subject
