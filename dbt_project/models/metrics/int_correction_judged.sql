-- Each correction whose due date has passed: was it mended in time? What was withdrawn or suppressed was nobody's to
-- mend, and what passes without being sent again was mended by nobody: both are set aside and counted beside the rate.
-- A fault that came back with its former due date is judged once, by how it stands last.
with sent_back as (
    select correction_id, department, due_at, closed_on, closed_as, closed_because, reopened_from
    from {{ source('quality', 'correction') }}
),

build as (
    select * from {{ ref('int_build_dated') }}
),

correction as (
    select
        correction_id,
        department,
        due_at,
        closed_on,
        coalesce(
            closed_as in ('withdrawn', 'suppressed') or closed_because = 'settled_elsewhere', false
        ) as is_set_aside
    from sent_back
    where not exists (
        select 1 from sent_back as again
        where again.reopened_from = sent_back.correction_id and again.due_at = sent_back.due_at
    )
)

select
    correction.correction_id,
    correction.department,
    to_char(correction.due_at, 'YYYY-MM') as period,
    correction.is_set_aside,
    not correction.is_set_aside and coalesce(correction.closed_on <= correction.due_at, false) as is_timely
from correction
inner join build on correction.due_at < build.as_of
