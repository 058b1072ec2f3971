-- What a record states of two people, from both sides. Relations are GB/T 4761: children-in-law are no children.
{{ config(materialized='view') }}

-- No CTE here: this view is filtered by keys (docs/decisions/0003-touched-keys.md).
{% set a_child = "'^(2[0-79]|3[0-79])$'" -%}
{% set a_parent = "'^5[1278]$'" -%}
{% for person, relative in (('husband', 'wife'), ('wife', 'husband')) -%}
select
    {{ person }}_identifier_key as identifier_key,
    {{ relative }}_identifier_key as relative_identifier_key,
    'spouse' as kind,
    case when kind = '结婚' then registered_on end as from_date,
    case when kind = '离婚' then registered_on end as to_date,
    'marriage_registry' as source,
    1 as evidence_rank,
    _row_key::text as record_no
from {{ ref('stg_marriage_registry__registration') }}
where is_usable
union all
-- The newer digitisation of a page is the better one.
select
    {{ person }}_identifier_key as identifier_key,
    {{ relative }}_identifier_key as relative_identifier_key,
    'spouse' as kind,
    case when kind <> '离婚' then registered_on end as from_date,
    case when kind = '离婚' then registered_on end as to_date,
    'marriage_archive' as source,
    4 - least(coalesce(generation, 1), 2) as evidence_rank,
    _row_key::text as record_no
from {{ ref('stg_marriage_archive__record') }}
where is_usable
union all
{% endfor -%}
{% for parent in ('mother', 'father') -%}
select
    child_identifier_key as identifier_key,
    {{ parent }}_identifier_key as relative_identifier_key,
    'parent' as kind,
    born_on as from_date,
    null as to_date,
    'health' as source,
    1 as evidence_rank,
    _row_key::text as record_no
from {{ ref('stg_health__birth') }}
where is_usable and {{ parent }}_identifier_key is not null
union all
select
    {{ parent }}_identifier_key as identifier_key,
    child_identifier_key as relative_identifier_key,
    'child' as kind,
    born_on as from_date,
    null as to_date,
    'health' as source,
    1 as evidence_rank,
    _row_key::text as record_no
from {{ ref('stg_health__birth') }}
where is_usable and {{ parent }}_identifier_key is not null
union all
{% endfor -%}
select
    identifier_key,
    relative_identifier_key,
    'household_member' as kind,
    from_date,
    to_date,
    'police' as source,
    9 as evidence_rank,
    pair_no as record_no
from {{ ref('int_household_pair') }}
union all
-- Who is what to the head says nothing of the day it began.
select
    identifier_key,
    relative_identifier_key,
    case
        when relation ~ '^1[0-2]$' or relative_relation ~ '^1[0-2]$' then 'spouse'
        when relation ~ {{ a_child }} or relative_relation ~ {{ a_parent }} then 'parent'
        else 'child'
    end as kind,
    null as from_date,
    null as to_date,
    'police' as source,
    9 as evidence_rank,
    pair_no as record_no
from {{ ref('int_household_pair') }}
where
    (relative_relation in ('01', '02') and relation ~ '^(1[0-2]|2[0-79]|3[0-79]|5[1278])$')
    or (relation in ('01', '02') and relative_relation ~ '^(1[0-2]|2[0-79]|3[0-79]|5[1278])$')
