{{ config(
    unique_key='person_id',
    touched_by={'toy_person': 'person_id', 'toy_limit': '*'},
    touches={'person_id': 'person_id', 'town': 'town'},
    due_keys="
        select person.person_id
        from {{ ref('toy_person') }} as person
        cross join {{ ref('toy_limit') }} as age_limit
        where person.born_on + age_limit.value > std.last_as_of('toy_senior')
            and person.born_on + age_limit.value <= std.as_of()
    ",
    indexes=[{'columns': ['person_id'], 'unique': true}, {'columns': ['town']}]
) }}
select person.person_id, person.town, 1000 / length(person.name) as fails_on_empty_name
from {{ ref('toy_person') }} as person
cross join {{ ref('toy_limit') }} as age_limit
where
    person.born_on + age_limit.value <= (select std.as_of())
    {% if is_incremental() %}
    and person.person_id in (select key::int from {{ touched() }})
    {% endif %}
