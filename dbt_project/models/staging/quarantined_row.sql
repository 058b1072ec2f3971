-- Every current row that cannot be used, and why: counted, sent back, never lost.
{{ config(materialized='view') }}

select 'police' as source, 'resident' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_police__resident') }}
where not is_usable
union all
select 'police' as source, 'household_member' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_police__household_member') }}
where not is_usable
union all
select 'police' as source, 'move' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_police__move') }}
where not is_usable
union all
select 'police' as source, 'cancellation' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_police__cancellation') }}
where not is_usable
union all
select 'civil_affairs' as source, 'assisted_household' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_civil_affairs__assisted_household') }}
where not is_usable
union all
select 'civil_affairs' as source, 'assisted_person' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_civil_affairs__assisted_person') }}
where not is_usable
union all
select 'civil_affairs' as source, 'subsidy_award' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_civil_affairs__subsidy_award') }}
where not is_usable
union all
select 'civil_affairs' as source, 'subsidy_payment' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_civil_affairs__subsidy_payment') }}
where not is_usable
union all
select 'health' as source, 'birth' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_health__birth') }}
where not is_usable
union all
select 'health' as source, 'death' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_health__death') }}
where not is_usable
union all
select 'social_security' as source, 'insurance' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_social_security__insurance') }}
where not is_usable
union all
select 'social_security' as source, 'employment' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_social_security__employment') }}
where not is_usable
union all
select 'marriage_registry' as source, 'registration' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_marriage_registry__registration') }}
where not is_usable
union all
select 'marriage_archive' as source, 'record' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_marriage_archive__record') }}
where not is_usable
union all
select 'funeral' as source, 'cremation' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_funeral__cremation') }}
where not is_usable
union all
select 'veterans' as source, 'service_record' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_veterans__service_record') }}
where not is_usable
union all
select 'transport' as source, 'vehicle' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_transport__vehicle') }}
where not is_usable
union all
select 'transport' as source, 'licence' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_transport__licence') }}
where not is_usable
union all
select 'licence_register' as source, 'licence' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_licence_register__licence') }}
where not is_usable
union all
select 'agriculture' as source, 'land_contract' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_agriculture__land_contract') }}
where not is_usable
union all
select 'agriculture' as source, 'subsidy' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_agriculture__subsidy') }}
where not is_usable
union all
select 'enterprise_registry' as source, 'enterprise' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_enterprise_registry__enterprise') }}
where not is_usable
union all
select 'region_codes' as source, 'division' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_region_codes__division') }}
where not is_usable
union all
select 'region_codes' as source, 'change' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_region_codes__change') }}
where not is_usable
union all
select 'real_estate' as source, 'title' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_real_estate__title') }}
where not is_usable
union all
select 'real_estate' as source, 'mortgage' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_real_estate__mortgage') }}
where not is_usable
union all
select 'housing' as source, 'contract' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_housing__contract') }}
where not is_usable
union all
select 'provident_fund' as source, 'account' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_provident_fund__account') }}
where not is_usable
union all
select 'provident_fund' as source, 'loan' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_provident_fund__loan') }}
where not is_usable
union all
select 'power' as source, 'account' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_power__account') }}
where not is_usable
union all
select 'power' as source, 'usage' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_power__usage') }}
where not is_usable
union all
select 'utilities' as source, 'account' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_utilities__account') }}
where not is_usable
union all
select 'utilities' as source, 'usage' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_utilities__usage') }}
where not is_usable
union all
select 'medical_insurance' as source, 'facility' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_medical_insurance__facility') }}
where not is_usable
union all
select 'medical_insurance' as source, 'settlement' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_medical_insurance__settlement') }}
where not is_usable
union all
select 'disabled_federation' as source, 'certificate' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_disabled_federation__certificate') }}
where not is_usable
union all
select
    'rural_revitalisation' as source, 'monitored_person' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_rural_revitalisation__monitored_person') }}
where not is_usable
union all
select 'education' as source, 'school' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_education__school') }}
where not is_usable
union all
select 'education' as source, 'enrolment' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_education__enrolment') }}
where not is_usable
union all
select 'education' as source, 'degree' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_education__degree') }}
where not is_usable
union all
select 'market_regulation' as source, 'entity' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_market_regulation__entity') }}
where not is_usable
union all
select 'market_regulation' as source, 'officer' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_market_regulation__officer') }}
where not is_usable
union all
select 'market_regulation' as source, 'change' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_market_regulation__change') }}
where not is_usable
union all
select 'organisations' as source, 'social_organisation' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_organisations__social_organisation') }}
where not is_usable
union all
select 'organisations' as source, 'institution' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_organisations__institution') }}
where not is_usable
union all
select 'taxation' as source, 'taxpayer' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_taxation__taxpayer') }}
where not is_usable
union all
select 'taxation' as source, 'payment' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_taxation__payment') }}
where not is_usable
union all
select 'credit' as source, 'record' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_credit__record') }}
where not is_usable
union all
select 'buildings' as source, 'building' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_buildings__building') }}
where not is_usable
union all
select 'ecology' as source, 'permit' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_ecology__permit') }}
where not is_usable
union all
select 'ecology' as source, 'reading' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_ecology__reading') }}
where not is_usable
union all
select 'emergency' as source, 'hazard_point' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_emergency__hazard_point') }}
where not is_usable
union all
select 'emergency' as source, 'shelter' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_emergency__shelter') }}
where not is_usable
union all
select 'emergency' as source, 'store' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_emergency__store') }}
where not is_usable
union all
select 'emergency' as source, 'rescue_team' as entity, _row_key, quarantine_reasons, _batch_id, _loaded_on
from {{ ref('stg_emergency__rescue_team') }}
where not is_usable
