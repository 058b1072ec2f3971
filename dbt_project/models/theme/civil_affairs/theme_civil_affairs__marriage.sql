-- Marriages as the registry and the archive together know them, and couples that only the police list. Of two mirrored
-- edges the husband's is read; where the sexes do not tell, that of the smaller key.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='husband_person_key',
    touched_by={'base_population__kinship': 'person_key', 'base_population__person': 'person_key'},
    due_keys="
        select edge.person_key from {{ ref('base_population__kinship') }} as edge
        where edge.kind = 'spouse' and edge.relative_key in (
            select known.key::uuid from ({{ touched_since(['base_population__person'], 'person_key') }}) as known
        )
    ",
    indexes=[{'columns': ['husband_person_key', 'wife_person_key', 'marriage_no'], 'unique': true}]
) }}

with edge as (
    select * from {{ ref('base_population__kinship') }}
    where
        kind = 'spouse'
        {% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
),

person as not materialized (
    select * from {{ ref('base_population__person') }}
),

couple as (
    select
        edge.*,
        husband.birth_date as husband_birth_date,
        wife.birth_date as wife_birth_date,
        husband.district_code,
        coalesce(husband.sex <> '1' or wife.sex <> '2', true) as sex_is_odd
    from edge
    left join person as husband on edge.person_key = husband.person_key
    left join person as wife on edge.relative_key = wife.person_key
    where
        case
            when husband.sex = '1' and wife.sex = '2' then true
            when husband.sex = '2' and wife.sex = '1' then false
            else edge.person_key < edge.relative_key
        end
),

aged as (
    select
        *,
        (extract(year from age(from_date, husband_birth_date)))::integer as husband_age,
        (extract(year from age(from_date, wife_birth_date)))::integer as wife_age
    from couple
)

select
    person_key as husband_person_key,
    relative_key as wife_person_key,
    edge_no as marriage_no,
    from_date as registered_on,
    from_date_source as registered_on_source,
    to_date as ended_on,
    case end_reason when '死亡' then '丧偶' else end_reason end as end_kind,
    to_date is null as is_in_force,
    husband_age,
    wife_age,
    district_code,
    sources,
    array_remove(array[
        case when from_date is null then 'registration' end,
        case when not sources && array['marriage_registry', 'marriage_archive'] then 'certificate' end,
        case when 'police' <> all(sources) then 'household' end
    ], null) as gaps,
    conflicts || array_remove(array[
        case when sex_is_odd then 'sex' end,
        case when least(husband_age, wife_age) < 15 then 'age' end
    ], null) as conflicts
from aged
