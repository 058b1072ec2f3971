-- What each row of each source says of a numbered person; blank where it says nothing. A branch a source and role.
{{ config(materialized='view') }}

-- No CTE and no aggregate: filtered by touched keys, PostgreSQL must reach staging's indexes through this view.
select
    identifier_key,
    pid,
    'police.resident' as source,
    updated_at as observed_at,
    name,
    sex,
    birth_date,
    nation,
    hukou_type,
    village_code,
    household_no,
    relation,
    phone,
    cast(null as date) as died_on
from {{ ref('stg_police__resident') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'police.household_member' as source,
    cast(joined_on as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    case when left_on is null then household_no end as household_no,
    case when left_on is null then relation end as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_police__household_member') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'police.cancellation' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    case when reason = '死亡' then cancelled_on end as died_on
from {{ ref('stg_police__cancellation') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'social_security.insurance' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    nation,
    hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_social_security__insurance') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'social_security.employment' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_social_security__employment') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'civil_affairs.assisted_person' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_civil_affairs__assisted_person') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'civil_affairs.subsidy_award' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_civil_affairs__subsidy_award') }}
where is_usable and identifier_key is not null
union all
select
    child_identifier_key as identifier_key,
    child_pid as pid,
    'health.birth' as source,
    updated_at as observed_at,
    child_name as name,
    sex,
    born_on as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_health__birth') }}
where is_usable and child_identifier_key is not null
union all
select
    identifier_key,
    pid,
    'health.death' as source,
    updated_at as observed_at,
    name,
    sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    died_on
from {{ ref('stg_health__death') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'veterans.service_record' as source,
    cast(null as timestamp) as observed_at,
    name,
    sex,
    birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    phone,
    cast(null as date) as died_on
from {{ ref('stg_veterans__service_record') }}
where is_usable and identifier_key is not null
union all
select
    mother_identifier_key as identifier_key,
    mother_pid as pid,
    'health.birth' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_health__birth') }}
where is_usable and mother_identifier_key is not null
union all
select
    father_identifier_key as identifier_key,
    father_pid as pid,
    'health.birth' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_health__birth') }}
where is_usable and father_identifier_key is not null
union all
select
    identifier_key,
    pid,
    'agriculture.land_contract' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_agriculture__land_contract') }}
where is_usable and identifier_key is not null and has_number
union all
select
    identifier_key,
    pid,
    'agriculture.subsidy' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_agriculture__subsidy') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'credit.record' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_credit__record') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'disabled_federation.certificate' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_disabled_federation__certificate') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'education.degree' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_education__degree') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'education.enrolment' as source,
    updated_at as observed_at,
    name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    nation,
    hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_education__enrolment') }}
where is_usable and identifier_key is not null and has_number
union all
select
    identifier_key,
    pid,
    'funeral.cremation' as source,
    cast(cremated_on as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    died_on
from {{ ref('stg_funeral__cremation') }}
where is_usable and identifier_key is not null and has_number
union all
select
    seller_identifier_key as identifier_key,
    seller_pid as pid,
    'housing.contract' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_housing__contract') }}
where is_usable and seller_identifier_key is not null
union all
select
    buyer_identifier_key as identifier_key,
    buyer_pid as pid,
    'housing.contract' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_housing__contract') }}
where is_usable and buyer_identifier_key is not null
union all
select
    holder_identifier_key as identifier_key,
    holder_pid as pid,
    'licence_register.licence' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_licence_register__licence') }}
where is_usable and holder_identifier_key is not null
union all
select
    representative_identifier_key as identifier_key,
    representative_pid as pid,
    'market_regulation.entity' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_market_regulation__entity') }}
where is_usable and representative_identifier_key is not null
union all
select
    identifier_key,
    pid,
    'market_regulation.officer' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_market_regulation__officer') }}
where is_usable and identifier_key is not null
union all
select
    husband_identifier_key as identifier_key,
    husband_pid as pid,
    'marriage_registry.registration' as source,
    updated_at as observed_at,
    husband_name as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_marriage_registry__registration') }}
where is_usable and husband_identifier_key is not null
union all
select
    wife_identifier_key as identifier_key,
    wife_pid as pid,
    'marriage_registry.registration' as source,
    updated_at as observed_at,
    wife_name as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_marriage_registry__registration') }}
where is_usable and wife_identifier_key is not null
union all
select
    identifier_key,
    pid,
    'medical_insurance.settlement' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_medical_insurance__settlement') }}
where is_usable and identifier_key is not null and has_number
union all
select
    holder_identifier_key as identifier_key,
    holder_pid as pid,
    'power.account' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_power__account') }}
where is_usable and holder_identifier_key is not null
union all
select
    identifier_key,
    pid,
    'provident_fund.account' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_provident_fund__account') }}
where is_usable and identifier_key is not null
union all
select
    identifier_key,
    pid,
    'provident_fund.loan' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_provident_fund__loan') }}
where is_usable and identifier_key is not null
union all
select
    borrower_identifier_key as identifier_key,
    borrower_pid as pid,
    'real_estate.mortgage' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_real_estate__mortgage') }}
where is_usable and borrower_identifier_key is not null
union all
select
    owner_identifier_key as identifier_key,
    owner_pid as pid,
    'real_estate.title' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_real_estate__title') }}
where is_usable and owner_identifier_key is not null
union all
select
    identifier_key,
    pid,
    'rural_revitalisation.monitored_person' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_rural_revitalisation__monitored_person') }}
where is_usable and identifier_key is not null and has_number
union all
select
    holder_identifier_key as identifier_key,
    holder_pid as pid,
    'transport.licence' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_transport__licence') }}
where is_usable and holder_identifier_key is not null
union all
select
    owner_identifier_key as identifier_key,
    owner_pid as pid,
    'transport.vehicle' as source,
    updated_at as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_transport__vehicle') }}
where is_usable and owner_identifier_key is not null
union all
select
    holder_identifier_key as identifier_key,
    holder_pid as pid,
    'utilities.account' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_utilities__account') }}
where is_usable and holder_identifier_key is not null
union all
select
    husband_identifier_key as identifier_key,
    husband_pid as pid,
    'marriage_archive.record' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_marriage_archive__record') }}
where is_usable and husband_identifier_key is not null and husband_has_number
union all
select
    wife_identifier_key as identifier_key,
    wife_pid as pid,
    'marriage_archive.record' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_marriage_archive__record') }}
where is_usable and wife_identifier_key is not null and wife_has_number
union all
select
    identifier_key,
    pid,
    'civil_affairs.subsidy_payment' as source,
    cast(null as timestamp) as observed_at,
    cast(null as text) as name,
    cast(null as text) as sex,
    cast(null as date) as birth_date,
    cast(null as text) as nation,
    cast(null as text) as hukou_type,
    cast(null as text) as village_code,
    cast(null as text) as household_no,
    cast(null as text) as relation,
    cast(null as text) as phone,
    cast(null as date) as died_on
from {{ ref('stg_civil_affairs__subsidy_payment') }}
where is_usable and identifier_key is not null
