-- Payments of tax, each with the organisation that paid, whichever number or name it then went by.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='taxpayer_identifier',
    touched_by={'stg_taxation__payment': 'taxpayer_identifier', 'base_legal_person__identifier': 'identifier'},
    touches={'organisation_key': 'organisation_key'},
    indexes=[{'columns': ['payment_no']}, {'columns': ['taxpayer_identifier']}, {'columns': ['organisation_key']}]
) }}

with payment as (
    select * from {{ ref('stg_taxation__payment') }}
    where
        is_usable
        {% if is_incremental() %} and taxpayer_identifier in (select key from {{ touched() }}){% endif %}
),

identifier as (
    select * from {{ ref('base_legal_person__identifier') }}
    where
        is_unique
        {% if is_incremental() %} and identifier in (select key from {{ touched() }}){% endif %}
),

named as (
    select
        payment.*,
        -- A code nobody registered speaks for itself.
        coalesce(identifier.organisation_key, case when payment.uscc_is_valid then payment.uscc end)
            as organisation_key
    from payment
    left join identifier on payment.taxpayer_identifier = identifier.identifier
)

select
    payment_no,
    taxpayer_identifier,
    organisation_key,
    case when organisation_key is not null then split_part(taxpayer_identifier, ':', 1) end as resolved_by,
    tax,
    period,
    amount,
    due_on,
    paid_on,
    to_char(paid_on, 'YYYYMM') as paid_month,
    greatest(paid_on - due_on, 0) as days_late
from named
