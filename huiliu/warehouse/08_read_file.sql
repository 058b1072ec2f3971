-- Files that were read once and for all (append): a file is known by its path, and has changed if its checksum has.
create table if not exists ops.read_file (
    source text not null,
    table_name text not null,
    path text not null,
    size bigint not null,
    modified_at timestamptz,
    checksum text not null,
    batch_id bigint not null references ops.load_run
);
create index if not exists read_file_of_table on ops.read_file (source, table_name, path, batch_id desc);
comment on table ops.read_file is '已读文件台账：追加型文件源中每个文件的大小、修改时间与校验和，一行一次读取';
comment on column ops.read_file.checksum is '文件原始字节的 SHA-256';

revoke all on ops.read_file from public, huiliu_build, huiliu_score, huiliu_return;
grant select, insert on ops.read_file to huiliu_ingest;
