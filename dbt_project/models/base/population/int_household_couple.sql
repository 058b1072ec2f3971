-- The head of a household and the spouse entered beside: the police's books know most couples only so.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='household_no',
    touched_by={'stg_police__resident': 'household_no'},
    touches={'identifier_key': 'unnest(array[head_identifier_key, spouse_identifier_key])'},
    indexes=[
        {'columns': ['household_no', 'head_identifier_key', 'spouse_identifier_key'], 'unique': true},
        {'columns': ['head_identifier_key']},
        {'columns': ['spouse_identifier_key']}
    ]
) }}

with resident as (
    select * from {{ ref('stg_police__resident') }}
    where
        is_usable
        and household_no is not null
        {% if is_incremental() %} and household_no in (select key from {{ touched() }}){% endif %}
),

member as (
    select
        household_no,
        identifier_key,
        bool_or(relation in ('01', '02')) as is_head,
        bool_or(relation = '10') as is_spouse,
        min(name) as name
    from resident
    where relation in ('01', '02', '10') and name is not null
    group by household_no, identifier_key
)

select
    head.household_no,
    head.identifier_key as head_identifier_key,
    head.name as head_name,
    spouse.identifier_key as spouse_identifier_key,
    spouse.name as spouse_name
from member as head
inner join member as spouse on head.household_no = spouse.household_no
where head.is_head and spouse.is_spouse and head.identifier_key <> spouse.identifier_key
