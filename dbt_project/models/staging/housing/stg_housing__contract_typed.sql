-- Every version of one contract of sale or rent that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.clean_code(logged.contract_no) as contract_no,
    std.code_in(logged.kind, '{新建商品房买卖,存量房买卖,房屋租赁}') as kind,
    std.clean_code(logged.unit_no) as unit_no,
    std.home_key(logged.address) as home_key,
    std.clean_text(logged.address) as address,
    coalesce(sold_by.identifier_key::text, std.uscc(logged.seller_uscc)) as seller_key,
    seller.pid as seller_pid,
    sold_by.identifier_key as seller_identifier_key,
    std.uscc(logged.seller_uscc) as seller_uscc,
    std.clean_name(logged.seller_name) as seller_name,
    bought_by.identifier_key::text as buyer_key,
    buyer.pid as buyer_pid,
    bought_by.identifier_key as buyer_identifier_key,
    std.clean_name(logged.buyer_name) as buyer_name,
    std.try_date(logged.signed_on) as signed_on,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    std.try_date(logged.starts_on) as starts_on,
    std.try_date(logged.ends_on) as ends_on,
    std.code_in(logged.status, '{有效,注销,到期}') as status,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'housing__contract') }} as logged
cross join lateral std.resident_id(logged.seller_pid) as seller (pid)
cross join lateral std.resident_id(logged.buyer_pid) as buyer (pid)
cross join lateral (values (vault.identifier_key(seller.pid))) as sold_by (identifier_key)
cross join lateral (values (vault.identifier_key(buyer.pid))) as bought_by (identifier_key)
cross join lateral array_remove(array[
    std.quarantine_reason('contract_no', logged.contract_no, std.clean_code(logged.contract_no) is null),
    std.quarantine_reason('unit_no', logged.unit_no, std.clean_code(logged.unit_no) is null),
    std.quarantine_reason('buyer_pid', logged.buyer_pid, buyer.pid is null)
], null) as judged (quarantine_reasons)
