-- What a consumer is due: each package once a day, zero rows and failed deliveries included. However often it was begun
-- (interrupted, repeated), the last delivery of the day says whether the destination holds the package whole.
with delivery as (
    select * from {{ source('ops', 'delivery') }}
),

receipt as (
    select * from {{ source('ops', 'receipt') }}
),

judged as (
    select
        delivery.delivery_id,
        delivery.package,
        delivery.consumer_code,
        delivery.business_date,
        coalesce(receipt.matches, false) as is_complete,
        row_number() over (of_the_day order by delivery.delivery_id desc) as attempt_back,
        min(delivery.due_at) over of_the_day as due_at,
        min(receipt.received_at) filter (where receipt.matches) over of_the_day as confirmed_at
    from delivery
    left join receipt on delivery.delivery_id = receipt.delivery_id
    window of_the_day as (partition by delivery.package, delivery.consumer_code, delivery.business_date)
)

select
    delivery_id,
    package,
    consumer_code,
    business_date,
    to_char(business_date, 'YYYY-MM') as period,
    is_complete,
    coalesce(is_complete and confirmed_at <= due_at, false) as is_timely
from judged
where attempt_back = 1
