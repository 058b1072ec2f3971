-- Records without a number and the people they are of: what was weighed, what was decided, what changed (docs/linkage.md).
create schema if not exists linkage;
comment on schema linkage is '身份关联：无证件号记录与人员的比对、判定与人工裁决';

create table if not exists linkage.threshold (
    valid_from date primary key,
    valid_to date check (valid_to > valid_from),
    accept double precision not null,
    review double precision not null check (review <= accept),
    margin double precision not null check (margin >= 0),
    cluster double precision not null check (cluster >= accept),
    basis text not null
);
comment on table linkage.threshold is '关联阈值：按业务日期生效；权重为以 2 为底的对数';
comment on column linkage.threshold.valid_to is '失效日期（不含）；为空表示至今有效';
comment on column linkage.threshold.accept is '自动关联的最低匹配权重';
comment on column linkage.threshold.review is '进入人工复核的最低匹配权重';
comment on column linkage.threshold.margin is '第一候选须领先第二候选的权重';
comment on column linkage.threshold.cluster is '无证件号记录之间归为一人的最低匹配权重';
comment on column linkage.threshold.basis is '取值依据';
insert into linkage.threshold (valid_from, accept, review, margin, cluster, basis)
values ('1900-01-01', 6, -2, 3, 12, 'docs/linkage.md：二十万人模拟城市的阈值曲线')
on conflict do nothing;

create table if not exists linkage.pair (
    record_key uuid not null,
    candidate_key uuid not null,
    candidate_is_person boolean not null,
    model_version text not null,
    match_weight double precision not null,
    match_probability double precision not null,
    levels jsonb not null,
    primary key (record_key, candidate_key)
);
create index if not exists pair_candidate on linkage.pair (candidate_key);
comment on table linkage.pair is '比对结果：每个无证件号记录与每个候选一行，只保留达到模型下限者';
comment on column linkage.pair.record_key is '无证件号记录的标识键；两条记录相比时为较小者';
comment on column linkage.pair.candidate_key is '候选人员或候选记录的标识键';
comment on column linkage.pair.candidate_is_person is '候选是有证件号的人员，否则是另一条无证件号记录';
comment on column linkage.pair.match_weight is '匹配权重（以 2 为底的对数，含先验）';
comment on column linkage.pair.levels is '各比较项的等级，-1 为未知，0 为不符';

create table if not exists linkage.match (
    identifier_key uuid primary key,
    person_key uuid not null,
    status text not null check (status in ('linked', 'review', 'alone')),
    method text check (method in ('repaired', 'model', 'decided', 'cluster')),
    match_weight double precision,
    match_probability double precision,
    model_version text not null,
    candidates integer not null,
    check ((status = 'linked') = (method in ('repaired', 'model', 'decided') and method is not null))
);
create index if not exists match_person on linkage.match (person_key);
comment on table linkage.match is '判定结果：每个无证件号记录一行';
comment on column linkage.match.person_key is '所属人员键：已关联者为有证件号人员的键，否则为自身或其聚类中最小的记录键';
comment on column linkage.match.status is 'linked 已关联；review 待人工复核；alone 无对应人员';
comment on column linkage.match.method is 'repaired 证件号修复；model 模型；decided 人工裁决；cluster 记录之间聚类';
comment on column linkage.match.candidates is '未被否定且达到复核线的候选人数';
alter table linkage.match add column if not exists contradicted boolean not null default false;
comment on column linkage.match.contradicted is '人工裁决相互矛盾，须重新裁决';

create table if not exists linkage.decision (
    record_key uuid not null,
    candidate_key uuid not null,
    decision text not null check (decision in ('same', 'different')),
    decided_by text not null,
    decided_on date not null,
    reason text,
    primary key (record_key, candidate_key),
    check (record_key <> candidate_key)
);
comment on table linkage.decision is '人工裁决：优先于模型；同一对以最后一次为准';
comment on column linkage.decision.decision is 'same 同一人；different 不是同一人';
alter table linkage.decision add column if not exists seen text;
comment on column linkage.decision.seen is '裁决时双方内容的摘要；与现状不同者失效，须重新裁决；为空表示未知';

create index if not exists decision_candidate on linkage.decision (candidate_key);

create table if not exists linkage.decision_used (
    record_key uuid not null,
    candidate_key uuid not null,
    decision text not null,
    primary key (record_key, candidate_key)
);
alter table linkage.decision_used add column if not exists seen text;
comment on table linkage.decision_used is '关联步骤上次所用的人工裁决：与现有裁决不同者须重新判定';

create table if not exists linkage.block (
    identifier_key uuid not null,
    is_person boolean not null,
    sex text,
    birth_date date,
    birth_year integer,
    birth_day text,
    name_folded text collate "C",
    spouse_folded text collate "C",
    number15 text collate "C",
    couple text collate "C"
);
create index if not exists block_identifier on linkage.block (identifier_key);
create index if not exists block_name on linkage.block (name_folded);
create index if not exists block_birth on linkage.block (birth_date, sex);
create index if not exists block_spouse on linkage.block (spouse_folded, birth_year) where spouse_folded is not null;
create index if not exists block_number on linkage.block (number15) where number15 is not null;
create index if not exists block_couple on linkage.block (couple) where couple is not null;
comment on table linkage.block is '分块键：每条无证件号记录、每位人员的每种称谓一行，用于找出须比对者';
comment on column linkage.block.name_folded is '归并形近字后的姓名';
comment on column linkage.block.spouse_folded is '归并形近字后的配偶姓名';
comment on column linkage.block.number15 is '证件号码的十五位形式';
comment on column linkage.block.couple is '登记页：同一页上的两位当事人相同';

create table if not exists linkage.key_change (
    change_id bigint generated always as identity primary key,
    identifier_key uuid not null,
    old_person_key uuid not null,
    new_person_key uuid not null,
    build_id bigint not null,
    changed_on date not null,
    reason text not null check (reason in ('merged', 'split', 'moved'))
);
create index if not exists key_change_identifier on linkage.key_change (identifier_key);
comment on table linkage.key_change is '人员键变更留痕：合并、拆分或改属';
comment on column linkage.key_change.reason is 'merged 独立记录并入他人；split 从所属人员拆出；moved 改属另一人';

create table if not exists linkage.run (
    build_id bigint primary key,
    as_of date not null,
    model_version text not null,
    in_full boolean not null,
    records bigint not null,
    scored bigint not null,
    linked bigint not null,
    in_review bigint not null,
    alone bigint not null,
    changed bigint not null
);
comment on table linkage.run is '关联步骤台账：每次构建一行';
comment on column linkage.run.scored is '本次重新比对的记录与人员数';
alter table linkage.run add column if not exists decided bigint;
alter table linkage.run add column if not exists accept double precision;
alter table linkage.run add column if not exists review double precision;
alter table linkage.run add column if not exists margin double precision;
alter table linkage.run add column if not exists cluster double precision;
comment on column linkage.run.decided is '本次重新判定的记录数';
comment on column linkage.run.accept is '本次所用阈值；其余各列同 linkage.threshold';

-- The build fills the tables but may not analyze what it does not own; plans made without are a hundred times slower.
create or replace function linkage.analyze_tables() returns void
language plpgsql security definer set search_path = '' as $$
begin
    analyze linkage.block, linkage.pair, linkage.match;
end;
$$;
comment on function linkage.analyze_tables() is '整表写入后更新统计信息，供查询规划使用';
