-- Every version of one e-licence that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.clean_code(logged.licence_id) as licence_id,
    std.digits(logged.type_code, 3) as type_code,
    std.clean_text(logged.type_name) as type_name,
    std.clean_code(logged.licence_no) as licence_no,
    std.code_in(logged.holder_kind, '{自然人,法人}') as holder_kind,
    person.pid as holder_pid,
    holder.identifier_key as holder_identifier_key,
    std.clean_name(logged.holder_name) as holder_name,
    organisation.uscc as holder_uscc,
    coalesce(cast(holder.identifier_key as text), organisation.uscc) as holder_key,
    std.clean_text(logged.issuing_department) as issuing_department,
    std.try_date(logged.issued_on) as issued_on,
    term.valid_until,
    coalesce(std.clean_text(logged.valid_until) = '长期', false) as is_permanent,
    revocation.revoked_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'licence_register__licence') }} as logged
cross join lateral std.resident_id(logged.holder_pid) as person (pid)
cross join lateral (values (vault.identifier_key(person.pid))) as holder (identifier_key)
cross join lateral std.uscc(logged.holder_uscc) as organisation (uscc)
cross join lateral std.try_date_until(logged.valid_until) as term (valid_until)
cross join lateral std.try_date(logged.revoked_on) as revocation (revoked_on)
cross join lateral array_remove(array[
    std.quarantine_reason('licence_id', logged.licence_id, std.clean_code(logged.licence_id) is null),
    std.quarantine_reason('licence_no', logged.licence_no, std.clean_code(logged.licence_no) is null),
    std.quarantine_reason('type_name', logged.type_name, std.clean_text(logged.type_name) is null),
    std.quarantine_reason(
        'holder_pid', coalesce(logged.holder_pid, logged.holder_uscc),
        person.pid is null and organisation.uscc is null
    ),
    std.quarantine_reason(
        'valid_until', logged.valid_until,
        term.valid_until is null and std.clean_text(logged.valid_until) is distinct from '长期'
    ),
    std.quarantine_reason(
        'revoked_on', logged.revoked_on,
        std.clean_text(logged.revoked_on) is not null and revocation.revoked_on is null
    )
], null) as judged (quarantine_reasons)
