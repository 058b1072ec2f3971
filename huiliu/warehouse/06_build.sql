-- What the models ask about the running build. SECURITY DEFINER so that readers of the models need no rights in ops.
alter table ops.build add column if not exists selection text;
alter table ops.build add column if not exists fingerprint text;
comment on column ops.build.selection is '只构建部分模型时的选择式；为空表示全部模型';
comment on column ops.build.fingerprint is '构建所用 dbt 工程的指纹';

create or replace function std.build_id() returns bigint
language plpgsql stable parallel safe security definer set search_path = ops, pg_temp as
$$
declare
    running bigint;
begin
    select build_id into running from ops.build where status = 'running';
    if running is null then
        raise exception 'No build is running: models are built by `huiliu build`, not by dbt alone.';
    end if;
    return running;
end
$$;
comment on function std.build_id() is '正在运行的构建编号；没有构建在运行则报错';

create or replace function std.as_of() returns date
language sql stable parallel safe security definer set search_path = ops, pg_temp as
$$
    select coalesce(
        (select as_of from ops.build where status = 'running'),
        (select as_of from ops.build order by build_id desc limit 1),
        (select business_date from ops.business_date)
    )
$$;
comment on function std.as_of() is '基准日期：正在运行的构建的日期，否则为最近一次构建的日期。在模型中写作 (select std.as_of())，只求值一次';

create or replace function std.last_as_of(model_name text) returns date
language sql stable parallel safe security definer set search_path = ops, pg_temp as
$$ select as_of from ops.model_state where model = model_name $$;
comment on function std.last_as_of(text) is '该模型最近一次完成的构建的基准日期';
