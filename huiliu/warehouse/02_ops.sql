-- Ledgers that operators and others rely on (docs/ledgers.md). Column names here are a public interface.

create table if not exists ops.business_date (
    only_row boolean primary key default true check (only_row),
    business_date date not null
);
comment on table ops.business_date is '业务日期：所有期限与规则以此为准，模型中不使用系统当前日期';

create sequence if not exists ops.batch_id_seq;

create table if not exists ops.resource (
    resource_id text primary key,
    source text not null,
    table_name text not null,
    title text not null,
    department text not null,
    level text not null,
    share_type text not null check (share_type in ('无条件共享', '有条件共享', '不予共享')),
    published boolean not null,
    cadence text not null,
    unique (source, table_name)
);
comment on table ops.resource is '数据资源目录：每个来源表一行，由 ingestion/sources/*.yml 登记';

create table if not exists ops.mount_probe (
    resource_id text not null references ops.resource,
    probed_at timestamptz not null default clock_timestamp(),
    business_date date not null,
    passed boolean not null,
    row_count bigint,
    error text
);
create index if not exists mount_probe_resource on ops.mount_probe (resource_id, business_date);
comment on table ops.mount_probe is '挂接探测：资源是否连通、是否有数据';

create table if not exists ops.load_run (
    batch_id bigint primary key default nextval('ops.batch_id_seq'),
    source text not null,
    table_name text not null,
    mode text not null,
    business_date date not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null check (status in ('running', 'landed', 'failed', 'abandoned')),
    rows_read bigint,
    rows_inserted bigint,
    rows_updated bigint,
    rows_deleted bigint,
    rows_quarantined bigint,
    watermark text,
    error text
);
create index if not exists load_run_table on ops.load_run (source, table_name, batch_id);
comment on table ops.load_run is '装载台账：每个来源表每次装载一行；status=landed 后方可见';

-- A batch that landed waits for the staging gate, then for a build to claim it.
create table if not exists ops.batch_gate (
    batch_id bigint primary key references ops.load_run,
    status text not null check (status in ('passed', 'held', 'released', 'replaced')),
    decided_at timestamptz not null default clock_timestamp(),
    decided_by text not null,
    reason text
);
comment on table ops.batch_gate is '入库闸门：批次通过、扣留、人工放行或被更正批次替代';

create table if not exists ops.batch_under_test (
    source text not null,
    table_name text not null,
    batch_id bigint not null references ops.load_run,
    primary key (source, table_name)
);
comment on table ops.batch_under_test is '闸门正在检验的批次（每个来源表至多一个）';

create table if not exists ops.build (
    build_id bigint generated always as identity primary key,
    as_of date not null,
    full_refresh boolean not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null check (status in ('running', 'succeeded', 'failed', 'abandoned'))
);
comment on table ops.build is '构建台账：同一时间只有一个构建';

create table if not exists ops.build_batch (
    batch_id bigint primary key references ops.load_run,
    build_id bigint not null references ops.build
);
create index if not exists build_batch_build on ops.build_batch (build_id);
comment on table ops.build_batch is '构建认领的批次：一个批次只被认领一次';

create table if not exists ops.model_run (
    build_id bigint not null references ops.build,
    model text not null,
    status text not null,
    seconds numeric,
    row_count bigint,
    message text,
    primary key (build_id, model)
);
comment on table ops.model_run is '模型执行结果：每次构建每个模型一行';

-- How a day costs a day: docs/decisions/0003-touched-keys.md
create table if not exists ops.model_state (
    model text primary key,
    build_id bigint not null,
    as_of date not null,
    full_build_id bigint not null
);
comment on table ops.model_state is '模型最近一次完成的构建、其基准日期，以及最近一次全量构建';

create table if not exists ops.touched_key (
    model text not null,
    build_id bigint not null,
    key_name text not null,
    key text not null,
    primary key (model, key_name, build_id, key)
);
comment on table ops.touched_key is '模型每次构建触及的键（含消失的键），供下游增量计算';

create table if not exists ops.delivery (
    delivery_id bigint generated always as identity primary key,
    batch_id bigint not null,
    package text not null,
    consumer_code text not null,
    transport text not null,
    business_date date not null,
    due_at timestamptz,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null check (status in ('planned', 'running', 'delivered', 'failed', 'held')),
    rows_upserted bigint,
    rows_deleted bigint,
    rows_total bigint,
    checksum text,
    error text,
    unique (batch_id, package, consumer_code)
);
create index if not exists delivery_consumer on ops.delivery (package, consumer_code, delivery_id);
comment on table ops.delivery is '交付台账：每个批次每个数据包每个接收方一行，零行也算到期交付';

create table if not exists ops.receipt (
    delivery_id bigint primary key references ops.delivery,
    received_at timestamptz not null default clock_timestamp(),
    destination_rows bigint not null,
    destination_checksum text not null,
    matches boolean not null
);
comment on table ops.receipt is '回执：在目的端新建连接查询所得的行数与校验和';

create table if not exists ops.sent_row (
    package text not null,
    consumer_code text not null,
    row_key text not null,
    row_hash text not null,
    primary key (package, consumer_code, row_key)
);
comment on table ops.sent_row is '各接收方现有数据的行哈希（不含明文），用于只交付差异';

create table if not exists ops.region_move (
    move_id bigint generated always as identity primary key,
    package text not null,
    person_key uuid not null,
    from_code text,
    to_code text,
    moved_on date not null,
    deleted_at timestamptz,
    inserted_at timestamptz,
    closed_at timestamptz,
    outcome text
);
create index if not exists region_move_open on ops.region_move (package, person_key) where closed_at is null;
comment on table ops.region_move is '迁移对：一人迁出与迁入成对记录，双方确认后关闭';
