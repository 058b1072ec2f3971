-- Public records on people and organisations, each with the subject it is about. What an old number or a former name
-- means is looked up among all there ever were; one that two organisations bore names neither.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='subject_identifier',
    touched_by={
        'stg_credit__record': 'subject_identifier',
        'base_legal_person__identifier': 'identifier',
        'base_population__identity': 'identifier_key'
    },
    touches={'subject_key': 'subject_key', 'organisation_key': 'organisation_key'},
    indexes=[
        {'columns': ['record_no', 'subject_identifier']}, {'columns': ['subject_identifier']},
        {'columns': ['subject_key']}, {'columns': ['organisation_key']}
    ]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and subject_identifier in (select key from {{ touched() }}){% endif %}
{%- endset %}

with record as (
    select
        *,
        row_number() over (
            partition by subject_identifier, record_kind, category, authority, decided_on, amount, repairs_no
            order by record_no
        ) > 1 as is_repeat
    from {{ ref('stg_credit__record') }}
    where is_usable{{ touched_keys }}
),

identifier as (
    select * from {{ ref('base_legal_person__identifier') }}
    where is_unique{{ touched_keys | replace('subject_identifier', 'identifier') }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where
        true
        {% if is_incremental() -%}
        and identifier_key in (
            select cast(touched.key as uuid) from {{ touched() }} as touched
            where touched.key ~ '^[0-9a-f-]{36}$'
        )
        {%- endif %}
),

attributed as (
    select
        record.*,
        case
            when record.identifier_key is not null then coalesce(identity.person_key, record.identifier_key)
        end as person_key,
        case
            when record.identifier_key is null
                then coalesce(
                    identifier.organisation_key, case when std.uscc_is_valid(record.uscc) then record.uscc end
                )
        end as organisation_key
    from record
    left join identifier on record.subject_identifier = identifier.identifier
    left join identity on record.identifier_key = identity.identifier_key
)

select
    record_no,
    subject_identifier,
    subject_kind,
    coalesce(cast(person_key as text), organisation_key) as subject_key,
    identifier_key,
    person_key,
    organisation_key,
    case
        when person_key is not null then 'identifier_key'
        when organisation_key is not null then split_part(subject_identifier, ':', 1)
    end as resolved_by,
    subject_name,
    record_kind,
    category,
    authority,
    decided_on,
    valid_until,
    amount,
    repairs_no,
    is_repeat
from attributed
