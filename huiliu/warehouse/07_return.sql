-- The return flow's own ledgers (docs/return_flow.md), beside ops.delivery, receipt, sent_row and region_move of 02_ops.sql.
alter table ops.delivery add column if not exists notice text;
alter table ops.delivery add column if not exists mass_delete_released boolean not null default false;
alter table ops.delivery add column if not exists is_planned boolean not null default true;
alter table ops.delivery add column if not exists changes_only boolean not null default false;
comment on column ops.delivery.changes_only is '微批次交付：只给数据有变化的接收方，不是当日到期交付';
comment on column ops.delivery.is_planned is '是否已比较并排定；数据包无法比较时为否，只记失败';
comment on column ops.delivery.notice is '暂缓交付时告知接收方的说明';
comment on column ops.delivery.mass_delete_released is '本次交付的大量删除已经人工放行';

-- What a plan found to differ, by key and hash alone: the delivery sends these keys with their values of the moment.
create table if not exists ops.planned_change (
    batch_id bigint not null,
    package text not null,
    consumer_code text not null,
    row_key text not null,
    op char(1) not null check (op in ('I', 'U', 'D')),
    primary key (package, consumer_code, batch_id, row_key)
);
comment on table ops.planned_change is '交付计划：每个接收方待新增、更新、删除的行键（不含明文），交付后清除';

create or replace view ops.open_region_move as
select
    move_id,
    package,
    person_key,
    from_code,
    to_code,
    moved_on,
    case when deleted_at is null then from_code end as waits_for_delete_at,
    case when inserted_at is null then to_code end as waits_for_insert_at
from ops.region_move
where closed_at is null;
comment on view ops.open_region_move is '未完成的迁移对：尚待哪一方确认';

grant select, insert, update, delete on ops.planned_change to huiliu_return;
grant select on ops.open_region_move to huiliu_return, huiliu_build, huiliu_score;
