{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='case_no',
    touched_by={'int_assistance_dated': 'case_no'},
    touches={'case_no': 'case_no', 'person_key': 'person_key', 'township_code': 'township_code'},
    due_keys="
        select case_no from {{ ref('int_assistance_dated') }}
        where {{ fell_due('approved_on') }} or {{ fell_due('ended_on') }}
    ",
    indexes=[{'columns': ['case_no', 'person_key'], 'unique': true}, {'columns': ['person_key']}]
) }}

with assistance as (
    select * from {{ ref('int_assistance_dated') }}
    where
        true
        {% if is_incremental() %} and case_no in (select key from {{ touched() }}){% endif %}
),

build as (
    select * from {{ ref('int_build_dated') }}
)

-- A case without a readable approval date is in force all the same: the date is missing, not the approval.
select
    case_no,
    person_key,
    kind,
    household_no,
    township_code,
    relation,
    approved_on,
    ended_on,
    monthly_amount
from assistance
where
    (approved_on is null or approved_on <= (select build.as_of from build))
    and (ended_on is null or ended_on > (select build.as_of from build))
