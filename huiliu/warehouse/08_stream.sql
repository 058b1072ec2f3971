-- The stream's ledger (docs/streaming.md): what each micro-batch did, and when what changed at a source became usable.
create table if not exists ops.micro_batch (
    micro_batch_id bigint generated always as identity primary key,
    business_date date not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    tables text[] not null,
    rows_changed bigint not null,
    batches_held integer not null,
    models integer not null,
    deliveries integer not null,
    rows_delivered bigint not null,
    faults text[] not null
);
comment on table ops.micro_batch is '流式微批次台账：每次处理了哪些来源表、多少行、构建了几个模型、交付了几次、有何故障';

create table if not exists ops.freshness (
    batch_id bigint not null references ops.load_run on delete cascade,
    changed_at timestamptz not null,
    row_count bigint not null,
    usable_at timestamptz,
    primary key (batch_id, changed_at)
);
create index if not exists freshness_waiting on ops.freshness (batch_id) where usable_at is null;
comment on table ops.freshness is '流式时效：微批次装载的行在来源端的变更时间，及其送达前置库的时间（空为尚未送达：被扣留、待交付或失败）';
comment on column ops.freshness.changed_at is '来源的更新时间，按业务日期与时钟的差移到时钟（模拟城市的业务日期不是今天）';

grant insert on ops.micro_batch to huiliu_ingest;
grant select on ops.build_batch to huiliu_ingest;
grant select on ops.micro_batch to huiliu_build;
grant select, insert on ops.freshness to huiliu_ingest;
grant update (usable_at) on ops.freshness to huiliu_ingest;
grant select on ops.freshness to huiliu_build;
