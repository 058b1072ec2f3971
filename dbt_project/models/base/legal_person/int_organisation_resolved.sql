-- Whose each row about an organisation is. Decided for the whole city at once, because a number or name decides only
-- while nobody else has it; only what differs is written (docs/legal_persons.md).
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='_row_key',
    touched_by='everything',
    touches={
        'organisation_key': 'organisation_key',
        'source_id': 'source_id',
        'identifier': 'unnest(identifiers)'
    },
    indexes=[{'columns': ['_row_key']}, {'columns': ['organisation_key']}, {'columns': ['source_id']}]
) }}

with observed as (
    select
        *,
        coalesce(uscc_is_valid, false) as is_certain,
        array_remove(array[
            'uscc:' || uscc,
            'registration_no:' || registration_no,
            'name:' || coalesce(former_name, name)
        ], null) as identifiers
    from {{ ref('int_organisation_observed') }}
),

-- Beside which valid codes each number and name stands. A name is also weighed by the numbers it stands beside: two
-- shops of one name are two shops.
stood_beside as (
    select
        said.identifier,
        min(observed.uscc) filter (where observed.is_certain) as uscc,
        min(observed.registration_no) as registration_no,
        count(distinct observed.uscc) filter (where observed.is_certain) as uscc_count,
        count(distinct observed.registration_no) as registration_no_count
    from observed
    cross join
        lateral (
            values
            ('registration_no:' || observed.registration_no), ('name:' || observed.name),
            ('name:' || observed.former_name)
        ) as said (identifier)
    where said.identifier is not null
    group by said.identifier
),

weighed as (
    select
        observed.*,
        case when by_number.uscc_count = 1 then by_number.uscc end as number_says,
        -- A code of its own that is no slip of the known one is another shop's: one character, or two exchanged.
        case
            when observed.is_certain or by_name.uscc_count <> 1 or by_name.registration_no_count > 1 then null
            when
                observed.uscc is null
                or (
                    select
                        count(*) <= 1
                        or (
                            count(*) = 2
                            and array_agg(slip.own order by slip.place) = array_agg(slip.known order by slip.place desc)
                        )
                    from
                        unnest(string_to_array(observed.uscc, null), string_to_array(by_name.uscc, null))
                        with ordinality as slip (own, known, place)
                    where slip.own is distinct from slip.known
                )
                then by_name.uscc
        end as name_says,
        case when by_name.uscc_count = 0 and by_name.registration_no_count = 1 then by_name.registration_no end
            as name_says_number
    from observed
    left join stood_beside as by_number on by_number.identifier = 'registration_no:' || observed.registration_no
    left join stood_beside as by_name on by_name.identifier = 'name:' || observed.name
)

select
    source,
    _row_key,
    source_id,
    case
        when is_certain then uscc
        else coalesce(number_says, name_says, uscc, registration_no, name_says_number, name)
    end as organisation_key,
    case
        when is_certain then 'uscc'
        when number_says is not null then 'registration_no'
        when name_says is not null then 'name'
        when uscc is not null then 'uscc_failing'
        when registration_no is not null then 'registration_no_alone'
        when name_says_number is not null then 'name'
        else 'name_alone'
    end as resolved_by,
    identifiers,
    observed_on,
    uscc,
    is_certain as uscc_is_valid,
    registration_no,
    name,
    former_name,
    former_until,
    subject_kind,
    enterprise_type,
    established_on,
    ended_on,
    status,
    representative_name,
    capital_text,
    capital_amount,
    capital_currency,
    capital_yuan,
    address
from weighed
