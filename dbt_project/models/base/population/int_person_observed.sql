-- What each row of each source says of a numbered person; blank where it says nothing. A branch a source and role.
{{ config(materialized='view') }}

-- No CTE and no aggregate: filtered by touched keys, PostgreSQL must reach staging's indexes through this view.
{{ observed(
    ref('stg_police__resident'),
    'police.resident',
    observed_at="updated_at",
    says={
        'name': "name",
        'sex': "sex",
        'birth_date': "birth_date",
        'nation': "nation",
        'hukou_type': "hukou_type",
        'village_code': "village_code",
        'household_no': "household_no",
        'relation': "relation",
        'phone': "phone"
    }
) }}
union all
{{ observed(
    ref('stg_police__household_member'),
    'police.household_member',
    observed_at="cast(joined_on as timestamp)",
    says={
        'household_no': "case when left_on is null then household_no end",
        'relation': "case when left_on is null then relation end"
    }
) }}
union all
{{ observed(
    ref('stg_police__cancellation'),
    'police.cancellation',
    observed_at="updated_at",
    says={'name': "name", 'died_on': "case when reason = '死亡' then cancelled_on end"}
) }}
union all
{{ observed(
    ref('stg_social_security__insurance'),
    'social_security.insurance',
    observed_at="updated_at",
    says={'name': "name", 'nation': "nation", 'hukou_type': "hukou_type"}
) }}
union all
{{ observed(
    ref('stg_social_security__employment'),
    'social_security.employment',
    observed_at="updated_at",
    says={'name': "name"}
) }}
union all
{{ observed(
    ref('stg_civil_affairs__assisted_person'),
    'civil_affairs.assisted_person',
    observed_at="updated_at",
    says={'name': "name"}
) }}
union all
{{ observed(
    ref('stg_civil_affairs__subsidy_award'),
    'civil_affairs.subsidy_award',
    observed_at="updated_at",
    says={'name': "name"}
) }}
union all
{{ observed(
    ref('stg_health__birth'),
    'health.birth',
    role='child_',
    observed_at="updated_at",
    says={'name': "child_name", 'sex': "sex", 'birth_date': "born_on"}
) }}
union all
{{ observed(
    ref('stg_health__death'),
    'health.death',
    observed_at="updated_at",
    says={'name': "name", 'sex': "sex", 'died_on': "died_on"}
) }}
union all
{{ observed(
    ref('stg_veterans__service_record'),
    'veterans.service_record',
    says={'name': "name", 'sex': "sex", 'birth_date': "birth_date", 'phone': "phone"}
) }}
union all
{{ observed(ref('stg_health__birth'), 'health.birth', role='mother_', observed_at="updated_at") }}
union all
{{ observed(ref('stg_health__birth'), 'health.birth', role='father_', observed_at="updated_at") }}
union all
{{ observed(
    ref('stg_agriculture__land_contract'),
    'agriculture.land_contract',
    observed_at="updated_at",
    is_numbered=true
) }}
union all
{{ observed(
    ref('stg_agriculture__subsidy'),
    'agriculture.subsidy',
    observed_at="updated_at",
    is_numbered=true
) }}
union all
{{ observed(ref('stg_credit__record'), 'credit.record') }}
union all
{{ observed(
    ref('stg_disabled_federation__certificate'),
    'disabled_federation.certificate',
    observed_at="updated_at",
    says={'name': "name"}
) }}
union all
{{ observed(ref('stg_education__degree'), 'education.degree', observed_at="updated_at") }}
union all
{{ observed(
    ref('stg_education__enrolment'),
    'education.enrolment',
    observed_at="updated_at",
    says={'name': "name", 'nation': "nation", 'hukou_type': "hukou_type"},
    is_numbered=true
) }}
union all
{{ observed(
    ref('stg_funeral__cremation'),
    'funeral.cremation',
    observed_at="cast(cremated_on as timestamp)",
    says={'died_on': "died_on"},
    is_numbered=true
) }}
union all
{{ observed(ref('stg_housing__contract'), 'housing.contract', role='seller_') }}
union all
{{ observed(ref('stg_housing__contract'), 'housing.contract', role='buyer_') }}
union all
{{ observed(
    ref('stg_licence_register__licence'),
    'licence_register.licence',
    role='holder_',
    observed_at="updated_at"
) }}
union all
{{ observed(
    ref('stg_market_regulation__entity'),
    'market_regulation.entity',
    role='representative_',
    observed_at="updated_at"
) }}
union all
{{ observed(ref('stg_market_regulation__officer'), 'market_regulation.officer', observed_at="updated_at") }}
union all
{{ observed(
    ref('stg_marriage_registry__registration'),
    'marriage_registry.registration',
    role='husband_',
    observed_at="updated_at",
    says={'name': "husband_name"}
) }}
union all
{{ observed(
    ref('stg_marriage_registry__registration'),
    'marriage_registry.registration',
    role='wife_',
    observed_at="updated_at",
    says={'name': "wife_name"}
) }}
union all
{{ observed(
    ref('stg_medical_insurance__settlement'),
    'medical_insurance.settlement',
    observed_at="updated_at",
    is_numbered=true
) }}
union all
{{ observed(ref('stg_power__account'), 'power.account', role='holder_') }}
union all
{{ observed(ref('stg_provident_fund__account'), 'provident_fund.account') }}
union all
{{ observed(ref('stg_provident_fund__loan'), 'provident_fund.loan') }}
union all
{{ observed(ref('stg_real_estate__mortgage'), 'real_estate.mortgage', role='borrower_', observed_at="updated_at") }}
union all
{{ observed(ref('stg_real_estate__title'), 'real_estate.title', role='owner_', observed_at="updated_at") }}
union all
{{ observed(
    ref('stg_rural_revitalisation__monitored_person'),
    'rural_revitalisation.monitored_person',
    is_numbered=true
) }}
union all
{{ observed(ref('stg_transport__licence'), 'transport.licence', role='holder_', observed_at="updated_at") }}
union all
{{ observed(
    ref('stg_transport__vehicle'),
    'transport.vehicle',
    role='owner_',
    observed_at="updated_at",
    is_numbered=true
) }}
union all
{{ observed(ref('stg_utilities__account'), 'utilities.account', role='holder_') }}
union all
{{ observed(ref('stg_marriage_archive__record'), 'marriage_archive.record', role='husband_', is_numbered=true) }}
union all
{{ observed(ref('stg_marriage_archive__record'), 'marriage_archive.record', role='wife_', is_numbered=true) }}
union all
{{ observed(ref('stg_civil_affairs__subsidy_payment'), 'civil_affairs.subsidy_payment') }}
