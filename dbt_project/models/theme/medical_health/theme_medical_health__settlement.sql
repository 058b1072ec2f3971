-- Each settlement with who it was for, where they lived on its day, and whether it counts.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_medical_insurance__settlement': 'identifier_key',
        'base_population__identity': 'identifier_key',
        'base_population__residence': 'person_key'
    },
    touches={
        'identifier_key': 'identifier_key', 'person_key': 'person_key', 'facility_month': 'facility_month'
    },
    due_keys="{{ identifiers_of(['base_population__residence']) }}",
    indexes=[
        {'columns': ['identifier_key', 'settlement_no'], 'unique': true},
        {'columns': ['person_key']}, {'columns': ['facility_month']}, {'columns': ['facility_code']}
    ]
) }}
{%- set of_touched -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ of_touched }}
),

settlement as (
    select * from {{ ref('stg_medical_insurance__settlement') }}
    where is_usable{{ of_touched }}
),

residence as (
    select * from {{ ref('base_population__residence') }}
),

chapter as (
    select * from {{ ref('theme_medical_health_diagnosis_chapters') }}
),

identified as (
    select
        settlement.*,
        coalesce(identity.person_key, settlement.identifier_key) as person_key
    from settlement
    left join identity on settlement.identifier_key = identity.identifier_key
),

placed as (
    select distinct on (identified.identifier_key, identified.settlement_no)
        identified.*,
        residence.township_code,
        chapter.chapter as diagnosis_chapter
    from identified
    left join residence
        on
            identified.person_key = residence.person_key
            and (residence.from_date is null or identified.settled_on >= residence.from_date)
            and (residence.to_date is null or identified.settled_on <= residence.to_date)
    left join chapter on left(identified.diagnosis_code, 3) between chapter.code_from and chapter.code_to
    order by
        identified.identifier_key asc, identified.settlement_no asc,
        identified.settled_on asc, identified.self_paid asc, identified.fund_paid asc,
        residence.residence_no desc nulls last
),

-- The same bill under a second number is one bill; one taken back and entered anew is not the bill it replaces.
numbered as (
    select
        *,
        coalesce(status = '冲销', false) as is_reversed,
        row_number() over (
            partition by
                identifier_key, facility_code, kind, settled_on, fund_paid, self_paid, coalesce(status = '冲销', false)
            order by settlement_no
        ) > 1 as is_repeat
    from placed
)

select
    settlement_no,
    identifier_key,
    person_key,
    has_number,
    facility_code,
    kind,
    diagnosis_code,
    diagnosis_chapter,
    admitted_on,
    settled_on,
    to_char(settled_on, 'YYYYMM') as month,
    cast(fund_paid + self_paid as numeric(16, 2)) as amount,
    fund_paid,
    self_paid,
    township_code,
    coalesce(facility_code, '') || '-' || to_char(settled_on, 'YYYYMM') as facility_month,
    is_repeat,
    is_reversed,
    not is_repeat and not is_reversed as is_counted
from numbered
