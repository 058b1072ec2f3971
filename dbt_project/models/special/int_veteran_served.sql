-- Who served, by the veterans' ledger, with the names any source knows them by.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'stg_veterans__service_record': 'identifier_key', 'base_population__person': 'person_key'},
    touches={'person_key': 'person_key', 'name': 'unnest(names)'},
    indexes=[{'columns': ['person_key'], 'unique': true}]
) }}

-- Rows in quarantine too: someone whose only ledger row is unreadable is still a veteran, with unknown service.
with service_record as (
    select * from {{ ref('stg_veterans__service_record') }}
    where
        identifier_key is not null
        {% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
),

person as (
    select * from {{ ref('base_population__person') }}
    {% if is_incremental() %} where person_key in (select key from {{ touched() }}){% endif %}
),

-- A row that says nothing is kept as a NULL, the last of its array: beside a value it is no agreement.
served as (
    select
        identifier_key as person_key,
        array_agg(distinct name) filter (where name is not null) as ledger_names,
        array_agg(distinct case when is_usable then enlisted_on end) as enlisted_ons,
        array_agg(distinct discharge_kind) as discharge_kinds
    from service_record
    group by identifier_key
)

select
    served.person_key,
    array(
        select distinct known.name
        from unnest(coalesce(person.names, '{}') || coalesce(served.ledger_names, '{}')) as known (name)
        order by known.name
    ) as names,
    served.enlisted_ons,
    served.discharge_kinds
from served
left join person on served.person_key = person.person_key
