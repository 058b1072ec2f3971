-- Who lives in a township now. A person is in one township, and the row is that township's alone.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='person_key',
    touched_by={'base_population__person': 'person_key', 'base_region__division': '*'},
    indexes=[{'columns': ['person_key'], 'unique': true}, {'columns': ['consumer_code']}]
) }}

with person as (
    select * from {{ ref('base_population__person') }}
    where
        is_resident and township_code is not null
        {% if is_incremental() %} and person_key in (select key from {{ touched() }}){% endif %}
),

division as (
    select * from {{ ref('base_region__division') }}
),

delivered as (
    select
        person.township_code as consumer_code,
        person.person_key,
        person.name,
        std.mask_resident_id(person.pid) as pid_masked,
        person.sex,
        person.birth_date,
        person.village_code,
        division.name as village_name,
        person.household_no,
        person.relation,
        person.hukou_type
    from person
    left join division on person.village_code = division.region_code
)

select
    *,
    md5(delivered::text) as _row_hash
from delivered
