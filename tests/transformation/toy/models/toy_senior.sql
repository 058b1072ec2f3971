{{ config(
    unique_key='person_id',
    touched_by={'toy_person': 'person_id', 'toy_limit': '*'},
    touches={'person_id': 'person_id', 'town': 'town'},
    due_keys="
        select person.person_id
        from {{ ref('toy_person') }} as person
        cross join {{ ref('toy_limit') }} as age_limit
        where {{ fell_due('person.born_on + age_limit.value') }}
    ",
    indexes=[{'columns': ['person_id'], 'unique': true}, {'columns': ['town']}]
) }}
select person.person_id, person.town, 1000 / length(person.name) as fails_on_empty_name
from {{ ref('toy_person') }} as person
cross join {{ ref('toy_limit') }} as age_limit
where
    person.born_on + age_limit.value <= {{ as_of() }}
    {% if is_incremental() %}
    and person.person_id in (select key from {{ touched() }})
    {% endif %}
