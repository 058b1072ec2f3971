-- What a load remembers beside its rows: what it read by, the source's columns, and what the source's manifest said.
alter table ops.load_run add column if not exists notice text;
alter table ops.load_run add column if not exists shape text;
alter table ops.load_run add column if not exists reconciled boolean;
alter table ops.load_run add column if not exists first_day date;
alter table ops.load_run add column if not exists last_day date;
comment on column ops.load_run.notice is '装载未失败但值得注意之处：新增列、重复键、按键对账找到的数据';
comment on column ops.load_run.shape is '规格中列与键的指纹：改变后整表重读';
comment on column ops.load_run.reconciled is '本次是否核对了来源的全部键（可发现删除）';
comment on column ops.load_run.first_day is '补采起始日';
comment on column ops.load_run.last_day is '补采截止日';

create table if not exists ops.source_column (
    source text not null,
    table_name text not null,
    column_name text not null,
    source_type text,
    in_spec boolean not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    primary key (source, table_name, column_name)
);
comment on table ops.source_column is '来源表的列：来源所称的列名与类型，是否已写入规格（否则值保存在 _extra），首次与最近出现的批次';

create table if not exists ops.manifest (
    batch_id bigint primary key references ops.load_run,
    what text not null,
    expected_rows bigint,
    actual_rows bigint,
    expected_checksum text,
    actual_checksum text,
    matches boolean not null
);
comment on table ops.manifest is '清单核对：来源声明的行数与校验和，与实际读取的是否一致；不一致的批次整批拒收';

create table if not exists ops.withheld_delete (
    source text not null,
    table_name text not null,
    row_key uuid not null,
    batch_id bigint not null references ops.load_run,
    primary key (source, table_name, row_key)
);
comment on table ops.withheld_delete is '暂缓的删除：随新出现的坏记录一同消失的行，可能只是读不出来，待坏记录改正后再定';

grant select, insert, delete on ops.withheld_delete to huiliu_ingest;
grant select, insert, update on ops.source_column, ops.manifest to huiliu_ingest;
grant select on ops.source_column, ops.manifest to huiliu_build, huiliu_score;

-- Before fingerprints, each landed row carried its hash; now it is made from the landed texts when it is needed. The views
-- that showed it are made again by the next gate or build.
do $$
declare
    held record;
begin
    for held in
        select attrelid::regclass as log from pg_attribute
        where attname = '_row_hash' and not attisdropped and attrelid in (
            select a.attrelid from pg_attribute a join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'raw'::regnamespace and c.relkind = 'r' and a.attname = '_op' and not a.attisdropped
        )
    loop
        execute format('alter table %s drop column _row_hash cascade', held.log);
    end loop;
end $$;
