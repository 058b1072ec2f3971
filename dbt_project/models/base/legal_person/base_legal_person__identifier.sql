-- By what organisations are known: credit code, the number before it, every name there ever was.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier',
    touched_by={'int_organisation_resolved': 'identifier'},
    indexes=[
        {'columns': ['identifier', 'organisation_key'], 'unique': true}, {'columns': ['organisation_key']}
    ]
) }}

with resolved as (
    select
        organisation_key,
        registration_no,
        uscc_is_valid,
        former_name,
        former_until,
        unnest(identifiers) as identifier
    from {{ ref('int_organisation_resolved') }}
),

known as (
    select
        identifier,
        organisation_key,
        bool_or(uscc_is_valid) as has_code,
        bool_and(former_name is not null) as is_former,
        max(former_until) as former_until
    from resolved
    {% if is_incremental() %} where identifier in (select key from {{ touched() }}){% endif %}
    group by identifier, organisation_key
)

select
    identifier,
    organisation_key,
    split_part(identifier, ':', 1) as identifier_kind,
    substr(identifier, position(':' in identifier) + 1) as identifier_value,
    count(*) over (partition by identifier) = 1 as is_unique,
    case
        when identifier like 'name:%' and is_former then former_until
        -- Credit codes took the place of all earlier numbers on 1 October 2015 (国发〔2015〕33号).
        when identifier like 'registration_no:%' and has_code then date '2015-10-01'
    end as valid_until
from known
