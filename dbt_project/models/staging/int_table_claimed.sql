-- Which source tables a build has ever claimed a batch of: the only proof that an absence below means something.
select distinct
    load_run.source || '.' || load_run.table_name as entity
from {{ source('ops', 'build_batch') }} as build_batch
inner join {{ source('ops', 'load_run') }} as load_run
    on build_batch.batch_id = load_run.batch_id
