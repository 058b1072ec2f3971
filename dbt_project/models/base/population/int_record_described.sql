-- People in records without an ID number, as linkage compares them with numbered people.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_rural_revitalisation__monitored_person': 'identifier_key',
        'stg_marriage_archive__record': 'identifier_key',
        'stg_funeral__cremation': 'identifier_key',
        'stg_agriculture__land_contract': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with monitored_person as (
    select * from {{ ref('stg_rural_revitalisation__monitored_person') }}
    where is_usable and not has_number{{ touched_keys }}
),

record as not materialized (
    select * from {{ ref('stg_marriage_archive__record') }}
    where is_usable
),

cremation as (
    select * from {{ ref('stg_funeral__cremation') }}
    where is_usable and not has_number{{ touched_keys }}
),

land_contract as (
    select * from {{ ref('stg_agriculture__land_contract') }}
    where is_usable and not has_number{{ touched_keys }}
)

select
    identifier_key,
    'rural_revitalisation.monitored_person' as source,
    name,
    sex,
    birth_date,
    birth_year,
    pid_claimed,
    region_code,
    cast(null as text) as relative_name,
    cast(null as text) as relative_kind,
    cast(null as date) as event_on
from monitored_person
union all
select
    husband_identifier_key as identifier_key,
    'marriage_archive.record' as source,
    husband_name as name,
    '1' as sex,
    husband_birth_date as birth_date,
    husband_birth_year as birth_year,
    husband_pid_claimed as pid_claimed,
    husband_region_code as region_code,
    wife_name as relative_name,
    case when wife_name is not null then 'spouse' end as relative_kind,
    registered_on as event_on
from record
where not husband_has_number{{ touched_keys | replace('identifier_key', 'husband_identifier_key') }}
union all
select
    wife_identifier_key as identifier_key,
    'marriage_archive.record' as source,
    wife_name as name,
    '2' as sex,
    wife_birth_date as birth_date,
    wife_birth_year as birth_year,
    wife_pid_claimed as pid_claimed,
    wife_region_code as region_code,
    husband_name as relative_name,
    case when husband_name is not null then 'spouse' end as relative_kind,
    registered_on as event_on
from record
where not wife_has_number{{ touched_keys | replace('identifier_key', 'wife_identifier_key') }}
union all
select
    identifier_key,
    'funeral.cremation' as source,
    name,
    sex,
    birth_date,
    birth_year,
    pid_claimed,
    region_code,
    cast(null as text) as relative_name,
    cast(null as text) as relative_kind,
    died_on as event_on
from cremation
union all
select
    identifier_key,
    'agriculture.land_contract' as source,
    name,
    sex,
    birth_date,
    birth_year,
    pid_claimed,
    region_code,
    relative_name,
    relative_kind,
    cast(null as date) as event_on
from land_contract
