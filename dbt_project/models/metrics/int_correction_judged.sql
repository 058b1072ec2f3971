-- Each correction whose due date has passed: was it closed in time? What was withdrawn or suppressed was nobody's to
-- mend: it is set aside and counted beside the rate, so that nobody improves it by letting faults off.
with correction as (
    select
        correction_id,
        department,
        due_at,
        closed_on,
        coalesce(closed_as in ('withdrawn', 'suppressed'), false) as is_set_aside
    from {{ source('quality', 'correction') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
)

select
    correction.correction_id,
    correction.department,
    to_char(correction.due_at, 'YYYY-MM') as period,
    correction.is_set_aside,
    not correction.is_set_aside and coalesce(correction.closed_on <= correction.due_at, false) as is_timely
from correction
inner join build on correction.due_at < build.as_of
