-- Every version of one share of one owner in one unit that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.try_bigint(logged.title_id) as title_id,
    std.clean_code(logged.unit_no) as unit_no,
    home.home_key,
    std.clean_text(logged.address) as address,
    std.digits(logged.village_code, 12) as village_code,
    std.clean_text(logged.use) as home_use,
    std.try_amount(logged.area)::numeric(14, 2) as area,
    std.code_in(logged.owner_kind, '{个人,企业}') as owner_kind,
    coalesce(owned_by.identifier_key::text, organisation.uscc) as holder_key,
    holder.pid as owner_pid,
    owned_by.identifier_key as owner_identifier_key,
    organisation.uscc as owner_uscc,
    std.clean_name(logged.owner_name) as owner_name,
    std.try_amount(logged.share)::numeric(14, 2) as share_percent,
    std.code_in(logged.way, '{首次登记,买卖,继承}') as way,
    std.try_date(logged.acquired_on) as acquired_on,
    std.try_date(logged.ended_on) as ended_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'real_estate__title') }} as logged
cross join lateral std.resident_id(logged.owner_pid) as holder (pid)
cross join lateral (values (vault.identifier_key(holder.pid))) as owned_by (identifier_key)
cross join lateral std.uscc(logged.owner_uscc) as organisation (uscc)
cross join lateral std.home_key(logged.address) as home (home_key)
cross join lateral array_remove(array[
    std.quarantine_reason('title_id', logged.title_id, std.try_bigint(logged.title_id) is null),
    std.quarantine_reason('address', logged.address, home.home_key is null),
    std.quarantine_reason(
        'owner_pid', logged.owner_pid,
        holder.pid is null and std.clean_text(logged.owner_kind) is distinct from '企业'
    ),
    std.quarantine_reason(
        'owner_uscc', logged.owner_uscc,
        organisation.uscc is null and std.clean_text(logged.owner_kind) = '企业'
    )
], null) as judged (quarantine_reasons)
