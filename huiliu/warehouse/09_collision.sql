-- Collisions 数据碰撞: which keys two tables share, or only the first has. Every call is a row here, a refused one too.
create schema if not exists collision;
comment on schema collision is '碰撞结果：每次碰撞一张表，只含关联键';

create table if not exists ops.collision_run (
    run_id bigint generated always as identity primary key,
    called_by text not null,
    table_a text not null,
    table_b text not null,
    key_column text not null,
    mode text not null,
    business_date date,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    rows_a bigint,
    rows_b bigint,
    rows_out bigint,
    error text
);
comment on table ops.collision_run is '碰撞台账：每次调用一行（含失败），用于计量与审计';
comment on column ops.collision_run.mode is 'both：两表共有（A∩B）；only_a：仅 A 有（A−B）';
comment on column ops.collision_run.rows_a is 'A 表中不同的非空键数';

-- Whoever collides reads the layers, writes results and the log, and may take nothing back from the log.
grant usage on schema ops, staging, base, theme to huiliu_collide;
grant usage, create on schema collision to huiliu_collide;
grant select on all tables in schema staging, base, theme to huiliu_collide;
alter default privileges for role huiliu_build in schema staging, base, theme grant select on tables to huiliu_collide;
grant select on ops.business_date to huiliu_collide;
grant select, insert on ops.collision_run to huiliu_collide;
grant update (finished_at, status, rows_a, rows_b, rows_out, error) on ops.collision_run to huiliu_collide;
