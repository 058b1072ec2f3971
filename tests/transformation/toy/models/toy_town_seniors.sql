{{ config(unique_key='town', touched_by={'toy_senior': 'town', 'toy_town': 'town'}) }}
select town_all.town, town_all.persons, count(senior.person_id) as seniors
from {{ ref('toy_town') }} as town_all
left join {{ ref('toy_senior') }} as senior on town_all.town = senior.town
{% if is_incremental() %}
where town_all.town in (select key from {{ touched() }})
{% endif %}
group by town_all.town, town_all.persons
