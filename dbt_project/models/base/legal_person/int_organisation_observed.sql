-- What each row of each source says of an organisation; blank where it says nothing. One branch a source table.
{{ config(materialized='view') }}

select
    'enterprise_registry.enterprise' as source,
    _row_key,
    cast(null as text) as source_id,
    _loaded_on as observed_on,
    uscc,
    uscc_is_valid,
    cast(null as text) as registration_no,
    name,
    cast(null as text) as former_name,
    cast(null as date) as former_until,
    cast(null as text) as subject_kind,
    enterprise_type,
    established_on,
    cast(null as date) as ended_on,
    cast(null as text) as status,
    cast(null as text) as representative_name,
    capital as capital_text,
    capital_amount,
    capital_currency,
    capital_yuan,
    address
from {{ ref('stg_enterprise_registry__enterprise') }}
where is_usable
union all
select
    'market_regulation.entity' as source,
    _row_key,
    cast(entity_id as text) as source_id,
    coalesce(cast(updated_at as date), _loaded_on) as observed_on,
    uscc,
    uscc_is_valid,
    registration_no,
    name,
    cast(null as text) as former_name,
    cast(null as date) as former_until,
    entity_kind as subject_kind,
    legal_form as enterprise_type,
    established_on,
    ended_on,
    status,
    representative_name,
    capital as capital_text,
    capital_amount,
    capital_currency,
    capital_yuan,
    address
from {{ ref('stg_market_regulation__entity') }}
where is_usable
union all
select
    'organisations.social_organisation' as source,
    _row_key,
    certificate_no as source_id,
    _loaded_on as observed_on,
    uscc,
    uscc_is_valid,
    cast(null as text) as registration_no,
    name,
    cast(null as text) as former_name,
    cast(null as date) as former_until,
    '社会组织' as subject_kind,
    form as enterprise_type,
    established_on,
    cast(null as date) as ended_on,
    status,
    representative_name,
    cast(null as text) as capital_text,
    cast(null as numeric(14, 2)) as capital_amount,
    cast(null as text) as capital_currency,
    cast(null as numeric(14, 2)) as capital_yuan,
    address
from {{ ref('stg_organisations__social_organisation') }}
where is_usable
union all
select
    'organisations.institution' as source,
    _row_key,
    certificate_no as source_id,
    _loaded_on as observed_on,
    uscc,
    uscc_is_valid,
    cast(null as text) as registration_no,
    name,
    cast(null as text) as former_name,
    cast(null as date) as former_until,
    kind as subject_kind,
    kind as enterprise_type,
    established_on,
    cast(null as date) as ended_on,
    status,
    representative_name,
    cast(null as text) as capital_text,
    cast(null as numeric(14, 2)) as capital_amount,
    cast(null as text) as capital_currency,
    cast(null as numeric(14, 2)) as capital_yuan,
    address
from {{ ref('stg_organisations__institution') }}
where is_usable
union all
select
    'taxation.taxpayer' as source,
    _row_key,
    cast(taxpayer_id as text) as source_id,
    _loaded_on as observed_on,
    uscc,
    uscc_is_valid,
    registration_no,
    name,
    cast(null as text) as former_name,
    cast(null as date) as former_until,
    cast(null as text) as subject_kind,
    cast(null as text) as enterprise_type,
    registered_on as established_on,
    cast(null as date) as ended_on,
    status,
    cast(null as text) as representative_name,
    cast(null as text) as capital_text,
    cast(null as numeric(14, 2)) as capital_amount,
    cast(null as text) as capital_currency,
    cast(null as numeric(14, 2)) as capital_yuan,
    address
from {{ ref('stg_taxation__taxpayer') }}
where is_usable
union all
select
    'market_regulation.change' as source,
    changed._row_key,
    cast(changed.entity_id as text) as source_id,
    changed.changed_on as observed_on,
    coalesce(changed.uscc, entity.uscc) as uscc,
    coalesce(changed.uscc_is_valid, entity.uscc_is_valid) as uscc_is_valid,
    entity.registration_no,
    entity.name,
    changed.before_value as former_name,
    changed.changed_on as former_until,
    cast(null as text) as subject_kind,
    cast(null as text) as enterprise_type,
    cast(null as date) as established_on,
    cast(null as date) as ended_on,
    cast(null as text) as status,
    cast(null as text) as representative_name,
    cast(null as text) as capital_text,
    cast(null as numeric(14, 2)) as capital_amount,
    cast(null as text) as capital_currency,
    cast(null as numeric(14, 2)) as capital_yuan,
    cast(null as text) as address
from {{ ref('stg_market_regulation__change') }} as changed
left join {{ ref('stg_market_regulation__entity') }} as entity
    on changed.entity_id = entity.entity_id and entity.is_usable
where changed.is_usable and changed.item = '名称变更'
