-- Every due delivery, zero rows and failed ones included, and whether the destination confirmed it whole and in time.
with delivery as (
    select * from {{ source('ops', 'delivery') }}
),

receipt as (
    select * from {{ source('ops', 'receipt') }}
)

select
    delivery.delivery_id,
    delivery.package,
    delivery.consumer_code,
    delivery.business_date,
    to_char(delivery.business_date, 'YYYY-MM') as period,
    coalesce(receipt.matches, false) as is_complete,
    coalesce(receipt.matches and receipt.received_at <= delivery.due_at, false) as is_timely
from delivery
left join receipt on delivery.delivery_id = receipt.delivery_id
