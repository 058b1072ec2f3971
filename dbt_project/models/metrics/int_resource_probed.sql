-- Each published, shareable resource in each month since probing began: was it live within the seven days before the
-- month's last day (or the build's date, in the month that runs)?
with resource as (
    select * from {{ source('ops', 'resource') }}
),

probed as (
    select
        *,
        count(row_count) over (partition by resource_id order by probed_at rows unbounded preceding) as counted
    from {{ source('ops', 'mount_probe') }}
),

-- A probe between loads reads no rows: it has those of the last load before it.
mount_probe as (
    select
        resource_id,
        business_date,
        passed,
        max(row_count) over (partition by resource_id, counted) as row_count
    from probed
),

build as (
    select * from {{ ref('int_build_dated') }}
),

month as (
    select
        to_char(started.month_start, 'YYYY-MM') as period,
        least(
            cast(started.month_start + interval '1 month' as date) - 1, (select build.as_of from build)
        ) as judged_on
    from generate_series(
        (select date_trunc('month', min(mount_probe.business_date)) from mount_probe),
        (select date_trunc('month', build.as_of) from build),
        interval '1 month'
    ) as started (month_start)
)

select
    month.period,
    resource.resource_id,
    resource.department,
    exists(
        select 1 from mount_probe
        where
            mount_probe.resource_id = resource.resource_id
            and mount_probe.passed
            and mount_probe.row_count > 0
            and mount_probe.business_date > month.judged_on - 7
            and mount_probe.business_date <= month.judged_on
    ) as is_live
from month
cross join resource
where
    resource.published and resource.share_type <> '不予共享'
    -- What left the catalogue counts in the months before.
    and (resource.retired_on is null or resource.retired_on > month.judged_on)
