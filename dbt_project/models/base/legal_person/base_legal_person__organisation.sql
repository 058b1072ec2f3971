-- Organisations of every kind, one row a credit code (or an earlier number, or a name, where that is all there is).
-- Each value comes from the source that ranks first for it; what the others said otherwise is kept beside it.
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='organisation_key',
    touched_by={
        'int_organisation_resolved': 'organisation_key',
        'int_organisation_source_ranked': '*',
        'base_region__division': '*',
        'base_geography__address': 'address_key'
    },
    due_keys="
        select organisation_key from {{ this }}
        where address_key in (
            select keys.key::uuid from ({{ touched_since(['base_geography__address'], 'address_key') }}) as keys
        )
    ",
    indexes=[
        {'columns': ['organisation_key'], 'unique': true},
        {'columns': ['uscc']},
        {'columns': ['district_code']},
        {'columns': ['address_key']}
    ]
) }}
{%- set golden = ['name', 'subject_kind', 'enterprise_type', 'established_on', 'capital_text', 'address', 'status',
    'ended_on', 'representative_name'] %}

with resolved as (
    select * from {{ ref('int_organisation_resolved') }}
    where
        source <> 'market_regulation.change'
        {% if is_incremental() %} and organisation_key in (select key from {{ touched() }}){% endif %}
),

ranked_source as (
    select * from {{ ref('int_organisation_source_ranked') }}
),

address as (
    select * from {{ ref('base_geography__address') }}
),

division as (
    select * from {{ ref('base_region__division') }}
    where level = 'district'
),

-- One row a value that a source gives for an attribute, best first.
claimed as (
    select
        resolved.organisation_key,
        said.attribute,
        said.value,
        resolved.source,
        max(resolved.observed_on) as said_on,
        min(coalesce(ranked_source.rank, 99)) as rank
    from resolved
    cross join
        lateral (
            values
            {%- for attribute in golden %}
            ('{{ attribute }}', cast(resolved.{{ attribute }} as text)){% if not loop.last %},{% endif %}
            {%- endfor %}
        ) as said (attribute, value)
    left join ranked_source on resolved.source = ranked_source.source and said.attribute = ranked_source.attribute
    where said.value is not null
    group by resolved.organisation_key, said.attribute, said.value, resolved.source
),

chosen as (
    select distinct on (organisation_key, attribute) *
    from claimed
    order by organisation_key asc, attribute asc, rank asc, said_on desc, value asc
),

lost as (
    select
        claimed.organisation_key,
        claimed.attribute,
        jsonb_agg(
            jsonb_build_object('value', claimed.value, 'source', claimed.source, 'on', claimed.said_on)
            order by claimed.value, claimed.source
        ) as losers
    from claimed
    inner join chosen
        on claimed.organisation_key = chosen.organisation_key and claimed.attribute = chosen.attribute
    where claimed.value <> chosen.value
    group by claimed.organisation_key, claimed.attribute
),

lost_together as (
    select
        organisation_key,
        jsonb_object_agg(attribute, losers) as lost_candidates
    from lost
    group by organisation_key
),

golden as (
    select
        organisation_key,
        {%- for attribute in golden %}
        min(value) filter (where attribute = '{{ attribute }}') as {{ attribute }},
        min(source) filter (where attribute = '{{ attribute }}') as {{ attribute }}_source,
        min(said_on) filter (where attribute = '{{ attribute }}') as {{ attribute }}_on
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from chosen
    group by organisation_key
),

numbered as (
    select
        organisation_key,
        coalesce(min(uscc) filter (where uscc_is_valid), min(uscc)) as uscc,
        case when count(uscc) > 0 then bool_or(uscc_is_valid) end as uscc_is_valid,
        min(registration_no) as registration_no,
        array_agg(distinct source) as sources,
        count(*) as row_count
    from resolved
    group by organisation_key
),

-- The amount and the currency are those of the capital that was chosen, as far as it can be read.
capital as (
    select
        resolved.organisation_key,
        cast(max(resolved.capital_amount) as numeric(14, 2)) as capital_amount,
        max(resolved.capital_currency) as capital_currency,
        cast(max(resolved.capital_yuan) as numeric(14, 2)) as capital_yuan
    from resolved
    inner join golden
        on resolved.organisation_key = golden.organisation_key and resolved.capital_text = golden.capital_text
    group by resolved.organisation_key
),

organisation as (
    select
        numbered.organisation_key,
        numbered.uscc,
        numbered.uscc_is_valid,
        numbered.registration_no,
        numbered.sources,
        numbered.row_count,
        std.address_key(golden.address) as address_key,
        {%- for attribute in golden %}
        golden.{{ attribute }},
        golden.{{ attribute }}_source,
        golden.{{ attribute }}_on
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from numbered
    left join golden on numbered.organisation_key = golden.organisation_key
),

-- What people write for a district in the name of a firm: its name, or the short form of it.
-- Names of units that are gone count too, for the unit that followed.
district_name as (
    select
        left(coalesce(division.successor_code, division.region_code), 6) as district_code,
        spelling.name
    from division
    cross join
        lateral (
            values
            (division.name),
            (replace(division.name, '经济技术开发区', '开发区')),
            (replace(division.name, '高新技术产业开发区', '高新区')),
            (case when length(division.name) = 3 then left(division.name, 2) end)
        ) as spelling (name)
    where spelling.name is not null
),

-- The address says where a firm is, even that it is in another city; the code only where it was registered, which may
-- be the city's own office. After the code come a road, only learnt from other addresses, and a district's short form:
-- every county has a zone called 开发区.
candidate as (
    select
        organisation.organisation_key,
        address.district_code,
        case address.method when 'outside' then 'outside' else 'address' end as district_source,
        case
            when address.method = 'road' or (address.method = 'district' and address.confidence <= 0.9) then 3
            else 1
        end as preference,
        0 as found_at,
        0 as name_length
    from organisation
    inner join address on organisation.address_key = address.address_key
    where address.method = 'outside' or address.district_code is not null
    union all
    select
        organisation.organisation_key,
        left(coalesce(division.successor_code, division.region_code), 6) as district_code,
        'uscc' as district_source,
        2 as preference,
        0 as found_at,
        0 as name_length
    from organisation
    inner join division on substr(organisation.uscc, 3, 6) = left(division.region_code, 6)
    union all
    select
        organisation.organisation_key,
        district_name.district_code,
        'name' as district_source,
        4 as preference,
        position(district_name.name in organisation.name) as found_at,
        length(district_name.name) as name_length
    from organisation
    inner join district_name on position(district_name.name in organisation.name) > 0
),

placed as (
    select distinct on (organisation_key)
        organisation_key,
        district_code,
        district_source
    from candidate
    order by organisation_key asc, preference asc, found_at asc, name_length desc, district_code asc
)

select
    organisation.organisation_key,
    organisation.uscc,
    organisation.uscc_is_valid,
    organisation.registration_no,
    coalesce(
        organisation.subject_kind,
        case
            when left(organisation.uscc, 2) = '92' then '个体工商户'
            when left(organisation.uscc, 2) = '93' then '农民专业合作社'
            when left(organisation.uscc, 1) = '5' then '社会组织'
            when left(organisation.uscc, 2) = '12' then '事业单位'
            when left(organisation.uscc, 2) = '11' then '机关'
            else '企业'
        end
    ) as subject_kind,
    organisation.name,
    organisation.enterprise_type,
    cast(organisation.established_on as date) as established_on,
    organisation.capital_text,
    capital.capital_amount,
    capital.capital_currency,
    capital.capital_yuan,
    placed.district_code,
    placed.district_source,
    organisation.address,
    organisation.address_key,
    organisation.status,
    cast(organisation.ended_on as date) as ended_on,
    organisation.representative_name,
    {%- for attribute in golden %}
    organisation.{{ attribute }}_source,
    organisation.{{ attribute }}_on,
    {%- endfor %}
    coalesce(lost_together.lost_candidates, '{}') as lost_candidates,
    organisation.sources,
    cast(organisation.row_count as integer) as row_count
from organisation
left join capital on organisation.organisation_key = capital.organisation_key
left join placed on organisation.organisation_key = placed.organisation_key
left join lost_together on organisation.organisation_key = lost_together.organisation_key
