-- Every version of one licence of road transport that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.clean_code(logged.licence_no) as licence_no,
    std.code_in(logged.licence_kind, '{道路货物运输经营许可,道路旅客运输经营许可,巡游出租汽车经营许可,道路运输从业资格}') as licence_kind,
    person.pid as holder_pid,
    holder.identifier_key as holder_identifier_key,
    std.clean_name(logged.holder_name) as holder_name,
    organisation.uscc as holder_uscc,
    coalesce(cast(holder.identifier_key as text), organisation.uscc) as holder_key,
    std.try_date(logged.issued_on) as issued_on,
    term.valid_until,
    revocation.revoked_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'transport__licence') }} as logged
cross join lateral std.resident_id(logged.holder_pid) as person (pid)
cross join lateral (values (vault.identifier_key(person.pid))) as holder (identifier_key)
cross join lateral std.uscc(logged.holder_uscc) as organisation (uscc)
cross join lateral std.try_date_until(logged.valid_until) as term (valid_until)
cross join lateral std.try_date(logged.revoked_on) as revocation (revoked_on)
cross join lateral array_remove(array[
    std.quarantine_reason('licence_no', logged.licence_no, std.clean_code(logged.licence_no) is null),
    std.quarantine_reason(
        'licence_kind',
        logged.licence_kind,
        std.code_in(logged.licence_kind, '{道路货物运输经营许可,道路旅客运输经营许可,巡游出租汽车经营许可,道路运输从业资格}') is null
    ),
    std.quarantine_reason(
        'holder_pid', coalesce(logged.holder_pid, logged.holder_uscc),
        person.pid is null and organisation.uscc is null
    ),
    std.quarantine_reason('valid_until', logged.valid_until, term.valid_until is null),
    std.quarantine_reason(
        'revoked_on', logged.revoked_on,
        std.clean_text(logged.revoked_on) is not null and revocation.revoked_on is null
    )
], null) as judged (quarantine_reasons)
