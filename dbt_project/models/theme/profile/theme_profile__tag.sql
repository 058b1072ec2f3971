-- The registry of tags: every tag of every group, as the project defines it (docs/tags.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='tag_code', touched_by='everything',
    indexes=[{'columns': ['tag_code'], 'unique': true}]
) }}
-- The date is that of the groups' last build, so the registry is written after them:
-- depends_on: {{ ref('theme_profile__identity') }}
-- depends_on: {{ ref('theme_profile__family') }}
-- depends_on: {{ ref('theme_profile__insurance') }}
-- depends_on: {{ ref('theme_profile__medical') }}
-- depends_on: {{ ref('theme_profile__support') }}
-- depends_on: {{ ref('theme_profile__education') }}
-- depends_on: {{ ref('theme_profile__property') }}
-- depends_on: {{ ref('theme_profile__economy') }}
-- depends_on: {{ ref('theme_profile__quality') }}

with build as (
    select * from {{ ref('int_build_dated') }}
),

defined (
    tag_code, label, description, group_code, table_name, data_type, department, classification, rule, period
) as (
    {{ tag_registry() }}
)

select
    defined.*,
    build.as_of
from defined
cross join build
