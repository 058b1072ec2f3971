-- The last scoring of each month: what a month's quality score is.
with score_run as (
    select * from {{ source('quality', 'score_run') }}
    where stage = 'score' and status = 'succeeded'
),

score as (
    select * from {{ source('quality', 'score') }}
),

last_run as (
    select
        to_char(business_date, 'YYYY-MM') as period,
        max(batch_id) as batch_id
    from score_run
    group by to_char(business_date, 'YYYY-MM')
)

select
    last_run.period,
    last_run.batch_id,
    score.level,
    score.name,
    score.dimension,
    score.score
from last_run
inner join score on last_run.batch_id = score.batch_id
where score.level in ('department', 'city', 'region')
