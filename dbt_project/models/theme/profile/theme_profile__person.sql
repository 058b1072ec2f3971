-- All tags of somebody as one object. No CTE, so that a look-up of one person uses the groups' indexes.
{{ config(materialized='view') }}

select
    profile.person_key,
    to_jsonb(profile) - 'person_key'
    || coalesce(to_jsonb(family_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(insurance_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(medical_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(support_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(education_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(property_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(economy_tags) - 'person_key', '{}')
    || coalesce(to_jsonb(quality_tags) - 'person_key', '{}') as tags
from {{ ref('theme_profile__identity') }} as profile
left join {{ ref('theme_profile__family') }} as family_tags on profile.person_key = family_tags.person_key
left join {{ ref('theme_profile__insurance') }} as insurance_tags on profile.person_key = insurance_tags.person_key
left join {{ ref('theme_profile__medical') }} as medical_tags on profile.person_key = medical_tags.person_key
left join {{ ref('theme_profile__support') }} as support_tags on profile.person_key = support_tags.person_key
left join {{ ref('theme_profile__education') }} as education_tags on profile.person_key = education_tags.person_key
left join {{ ref('theme_profile__property') }} as property_tags on profile.person_key = property_tags.person_key
left join {{ ref('theme_profile__economy') }} as economy_tags on profile.person_key = economy_tags.person_key
left join {{ ref('theme_profile__quality') }} as quality_tags on profile.person_key = quality_tags.person_key
