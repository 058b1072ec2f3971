-- What the registers know of each death, and which of them does not know yet.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'int_death_merged': 'person_key', 'base_population__person': 'person_key'},
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

with death as (
    select * from {{ ref('int_death_merged') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

person as (
    select * from {{ ref('base_population__person') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
)

select
    death.person_key,
    death.died_on,
    death.died_on_source,
    to_char(death.died_on, 'YYYYMM') as month,
    (extract(year from age(death.died_on, person.birth_date)))::integer as age,
    person.township_code,
    death.health_died_on,
    death.funeral_died_on,
    death.police_died_on,
    death.cremated_on,
    death.first_reported_on,
    death.sources,
    -- People never registered in the city are cancelled nowhere in it; not everybody is cremated.
    array_remove(array[
        case when 'health' <> all(death.sources) then 'health' end,
        case when person.in_police and 'police' <> all(death.sources) then 'police' end
    ], null) as missing_from,
    cardinality(death.sources) > 1 as is_confirmed,
    array_remove(array[
        case when death.dates_differ then 'died_on' end,
        case when death.cremated_on < death.died_on then 'cremated_on' end,
        case when death.died_on < person.birth_date then 'birth_date' end
    ], null) as conflicts
from death
left join person on death.person_key = person.person_key
