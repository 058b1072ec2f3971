-- Records that could not be read (broken encoding, wrong number of fields): kept as they came, so that they can be mended.
create table if not exists ops.rejected_row (
    batch_id bigint not null references ops.load_run,
    source text not null,
    table_name text not null,
    position text not null,
    raw_text text not null,
    reason text not null
);
create index if not exists rejected_row_batch on ops.rejected_row (batch_id);
comment on table ops.rejected_row is '拒收记录：无法读取的原始记录、位置与原因（含个人信息，仅属主与采集角色可读）';

revoke all on ops.rejected_row from public, huiliu_build, huiliu_score, huiliu_return;
grant select, insert on ops.rejected_row to huiliu_ingest;
