-- Where someone lived and when, gapless, from the moves the police registered. An unknown start is NULL.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'base_population__person': 'person_key', 'stg_police__move': 'identifier_key'},
    indexes=[{'columns': ['person_key', 'residence_no'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where
        in_police
        {% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
),

move as (
    select * from {{ ref('stg_police__move') }}
    where
        is_usable
        {% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
),

-- The same move registered twice is one move.
move_distinct as (
    select distinct
        identifier_key as person_key,
        moved_on,
        move_type,
        from_village_code,
        to_village_code
    from move
),

move_ordered as (
    select
        *,
        row_number() over (
            partition by person_key order by moved_on, move_type = '迁入', from_village_code, to_village_code
        ) as move_no
    from move_distinct
),

started as (
    select
        person.person_key,
        0 as residence_no,
        case when move_ordered.person_key is null then person.village_code else move_ordered.from_village_code end
            as village_code,
        null::date as from_date
    from person
    left join move_ordered
        on person.person_key = move_ordered.person_key and move_ordered.move_no = 1
    where move_ordered.person_key is null or move_ordered.move_type <> '迁入'
    union all
    select
        person_key,
        move_no as residence_no,
        case when move_type <> '迁出' then to_village_code end as village_code,
        moved_on as from_date
    from move_ordered
),

bounded as (
    select
        started.person_key,
        started.residence_no,
        started.village_code,
        started.from_date,
        lead(started.from_date) over (partition by started.person_key order by started.residence_no) as next_from_date
    from started
)

-- A departure ends a residence and starts none.
select
    bounded.person_key,
    (bounded.residence_no)::integer as residence_no,
    bounded.village_code,
    left(bounded.village_code, 9) as township_code,
    bounded.from_date,
    coalesce(bounded.next_from_date, person.died_on, person.left_on) as to_date
from bounded
inner join person on bounded.person_key = person.person_key
where bounded.village_code is not null
