{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='household_no',
    touched_by={'base_population__person': 'household_no'},
    touches={'household_no': 'household_no', 'village_code': 'village_code'},
    indexes=[{'columns': ['household_no'], 'unique': true}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where
        is_resident and household_no is not null
        {% if is_incremental() %} and household_no in (select key from {{ touched() }}){% endif %}
),

-- The head speaks for the household; without one, the member with the smallest key does.
ordered as (
    select
        *,
        relation in ('01', '02') as is_head,
        row_number() over (
            partition by household_no
            order by coalesce(relation in ('01', '02'), false) desc, village_code is null, person_key
        ) as member_no
    from person
)

select
    household_no,
    (array_agg(village_code order by member_no))[1] as village_code,
    left((array_agg(village_code order by member_no))[1], 9) as township_code,
    (array_agg(person_key order by member_no) filter (where is_head))[1] as head_person_key,
    cast(count(*) filter (where is_head) as integer) as head_count,
    cast(count(*) as integer) as member_count
from ordered
group by household_no
