-- Every version of one vehicle that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.try_bigint(logged.vehicle_id) as vehicle_id,
    std.clean_code(logged.plate_no) as plate_no,
    std.clean_text(logged.vehicle_kind) as vehicle_kind,
    std.code_in(logged.use_kind, '{营运,非营运}') as use_kind,
    person.pid as owner_pid,
    owned_by.identifier_key as owner_identifier_key,
    num_nonnulls(person.pid, organisation.uscc) > 0 as owner_has_number,
    std.clean_name(logged.owner_name) as owner_name,
    organisation.uscc as owner_uscc,
    coalesce(cast(owned_by.identifier_key as text), organisation.uscc) as owner_key,
    std.digits(logged.township_code, 9) as township_code,
    std.try_date(logged.registered_on) as registered_on,
    inspection.valid_until as inspection_valid_until,
    scrapping.scrapped_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'transport__vehicle') }} as logged
cross join lateral std.resident_id(logged.owner_pid) as person (pid)
cross join lateral std.uscc(logged.owner_uscc) as organisation (uscc)
cross join
    lateral (values (coalesce(
        vault.identifier_key(person.pid),
        case when organisation.uscc is null then std.record_key('transport.vehicle', logged._row_key, '') end
    ))) as owned_by (identifier_key)
cross join lateral std.try_date_until(logged.inspection_valid_until) as inspection (valid_until)
cross join lateral std.try_date(logged.scrapped_on) as scrapping (scrapped_on)
cross join lateral array_remove(array[
    std.quarantine_reason('vehicle_id', logged.vehicle_id, std.try_bigint(logged.vehicle_id) is null),
    std.quarantine_reason('plate_no', logged.plate_no, std.clean_code(logged.plate_no) is null),
    std.quarantine_reason(
        'scrapped_on', logged.scrapped_on,
        std.clean_text(logged.scrapped_on) is not null and scrapping.scrapped_on is null
    )
], null) as judged (quarantine_reasons)
