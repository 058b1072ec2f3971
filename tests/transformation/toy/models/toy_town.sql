{{ config(unique_key='town', touched_by={'toy_person': 'town'}) }}
select town, count(*) as persons, array_agg(name order by name) as names
from {{ ref('toy_person') }}
where
    town is not null
    {% if is_incremental() %}
    and town in (select key from {{ touched() }})
    {% endif %}
group by town
