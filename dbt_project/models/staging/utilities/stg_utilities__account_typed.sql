-- Every version of one account of water, gas or heat that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.clean_code(logged.account_no) as account_no,
    'utility-' || std.clean_code(logged.account_no) as account_key,
    std.code_in(logged.kind, '{供水,供气,供热}') as kind,
    held_by.identifier_key::text as holder_key,
    holder.pid as holder_pid,
    held_by.identifier_key as holder_identifier_key,
    std.clean_name(logged.holder_name) as holder_name,
    home.home_key,
    std.clean_text(logged.address) as address,
    std.digits(logged.township_code, 9) as township_code,
    std.try_date(logged.opened_on) as opened_on,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'utilities__account') }} as logged
cross join lateral std.resident_id(logged.holder_pid) as holder (pid)
cross join lateral (values (vault.identifier_key(holder.pid))) as held_by (identifier_key)
cross join lateral std.home_key(logged.address) as home (home_key)
cross join lateral array_remove(array[
    std.quarantine_reason('account_no', logged.account_no, std.clean_code(logged.account_no) is null),
    std.quarantine_reason('address', logged.address, home.home_key is null)
], null) as judged (quarantine_reasons)
