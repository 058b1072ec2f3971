-- Sources that answer later, or never (banks): what is asked of them, and what became of it. No answer is no evidence.
create table if not exists ops.exchange_request (
    request_id uuid primary key default gen_random_uuid(),
    source text not null,
    table_name text not null,
    -- prepared: written down, but perhaps not sent; overdue: asked again; refused: the source will not answer it.
    status text not null default 'prepared' check (
        status in ('prepared', 'sent', 'partly_answered', 'overdue', 'answered', 'given_up', 'refused')
    ),
    attempts integer not null default 1,
    sent_at timestamptz,
    due_on date,
    refs text[] not null default '{}',
    questions integer not null,
    answers integer not null default 0
);
create index if not exists exchange_request_table on ops.exchange_request (source, table_name, status);
comment on table ops.exchange_request is '查询请求台账：发给应答式来源的每个请求，何时发出、何时到期、问了几次、答了几条';

create table if not exists ops.question (
    source text not null,
    table_name text not null,
    question_key text not null,
    payload jsonb not null default '{}',
    asked_by text not null default current_user,
    asked_on date not null,
    wanted_by date,
    request_id uuid references ops.exchange_request,
    answered_on date,
    primary key (source, table_name, question_key)
);
create index if not exists question_request on ops.question (request_id);
comment on table ops.question is '待查问题：仓库内有权者写入，下次采集时随请求发出（payload 含个人信息）';

create table if not exists ops.exchange_answer (
    source text not null,
    table_name text not null,
    name text not null,
    checksum text not null,
    request_id uuid references ops.exchange_request,
    rows_read integer not null,
    taken_on date not null,
    primary key (source, table_name, name, checksum)
);
comment on table ops.exchange_answer is '已收应答：每份应答只收一次';

create or replace view ops.question_state as
select
    q.source,
    q.table_name,
    q.question_key,
    q.asked_by,
    q.asked_on,
    q.wanted_by,
    q.request_id,
    r.attempts,
    r.sent_at,
    r.due_on,
    q.answered_on,
    case
        when q.answered_on is not null then 'answered'
        when q.request_id is null then 'open'
        when r.status in ('overdue', 'given_up', 'refused') then r.status
        else 'pending'
    end as status
from ops.question as q
left join ops.exchange_request as r on r.request_id = q.request_id;
comment on view ops.question_state is '每个问题的当前状态；未答复者一直可见，不作为任何证据';

create or replace view ops.question_count as
select source, table_name, status, count(*) as questions, min(asked_on) as oldest
from ops.question_state
group by source, table_name, status;
comment on view ops.question_count is '每个来源表各状态的问题数';

revoke all on ops.question, ops.question_state, ops.exchange_answer from public, huiliu_score, huiliu_return;
grant select on ops.question, ops.question_state, ops.question_count to huiliu_ingest;
grant update (request_id, answered_on) on ops.question to huiliu_ingest;
grant select, insert, update on ops.exchange_request to huiliu_ingest;
grant select, insert on ops.exchange_answer to huiliu_ingest;

-- Asking: a model may ask, and see which of its questions it has asked already.
grant insert (source, table_name, question_key, payload, asked_on, wanted_by) on ops.question to huiliu_build;
grant select (source, table_name, question_key) on ops.question to huiliu_build;
grant select on ops.question_state, ops.question_count, ops.exchange_request to huiliu_build;
grant select on ops.question_count to huiliu_score;
