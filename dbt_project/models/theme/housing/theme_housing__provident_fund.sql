-- Each person's standing with the provident fund: the account, what is saved, what is owed.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={
        'stg_provident_fund__account': 'identifier_key',
        'stg_provident_fund__loan': 'identifier_key',
        'base_population__identity': 'identifier_key'
    },
    touches={'identifier_key': 'identifier_key', 'person_key': 'person_key'},
    indexes=[{'columns': ['identifier_key'], 'unique': true}, {'columns': ['person_key']}]
) }}
{%- set touched_keys -%}
{% if is_incremental() %} and identifier_key in (select key from {{ touched() }}){% endif %}
{%- endset %}

with account as (
    select * from {{ ref('stg_provident_fund__account') }}
    where is_usable{{ touched_keys }}
),

loan as (
    select * from {{ ref('stg_provident_fund__loan') }}
    where is_usable{{ touched_keys }}
),

identity as (
    select * from {{ ref('base_population__identity') }}
    where true{{ touched_keys }}
),

-- One account a person: of several the one in use, with the latest deposit.
chosen as (
    select distinct on (identifier_key)
        *,
        cast(count(*) over (partition by identifier_key) as integer) as account_count
    from account
    order by
        identifier_key asc, status = '正常' desc nulls last, paid_until desc nulls last, balance desc nulls last,
        opened_on asc, account_no asc
),

-- A loan entered twice is owed once.
owed as (
    select distinct on (identifier_key, unit_no, started_on) *
    from loan
    order by
        identifier_key asc, unit_no asc, started_on asc, ended_on asc nulls last, balance asc, loan_no asc
),

lent as (
    select
        identifier_key,
        cast(count(*) as integer) as loan_count,
        cast(count(*) filter (where ended_on is null) as integer) as open_loan_count,
        cast(coalesce(sum(balance) filter (where ended_on is null), 0) as numeric(16, 2)) as loan_balance,
        cast(coalesce(max(overdue_months) filter (where ended_on is null), 0) as integer) as overdue_months,
        array_agg(distinct unit_no) filter (where ended_on is null) as loan_unit_nos
    from owed
    group by identifier_key
)

select
    coalesce(chosen.identifier_key, lent.identifier_key) as identifier_key,
    identity.person_key,
    chosen.account_no,
    coalesce(chosen.account_count, 0) as account_count,
    chosen.status,
    chosen.employer_uscc,
    chosen.employer_name,
    chosen.opened_on,
    chosen.monthly_deposit,
    chosen.balance,
    chosen.paid_until,
    coalesce(lent.loan_count, 0) as loan_count,
    coalesce(lent.open_loan_count, 0) as open_loan_count,
    cast(coalesce(lent.loan_balance, 0) as numeric(16, 2)) as loan_balance,
    coalesce(lent.overdue_months, 0) as overdue_months,
    coalesce(lent.loan_unit_nos, '{}') as loan_unit_nos
from chosen
full join lent on chosen.identifier_key = lent.identifier_key
left join identity on coalesce(chosen.identifier_key, lent.identifier_key) = identity.identifier_key
