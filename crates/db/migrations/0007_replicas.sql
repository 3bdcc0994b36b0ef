-- `user` is a word of SQL in other databases.
alter table user rename to account;
alter table session rename column user to username;
alter table api_token rename column user to username;
alter table job rename column user to username;
alter table action rename column user to username;
alter table client_key rename column user to username;
alter table join_token rename column user to username;

-- The servers that share the database; of a file there is one.
create table replica (
    id text primary key,
    url text not null,
    agents text not null,
    ca text not null,
    key text not null,
    seen_at integer not null
) strict;

-- runner: the server that runs an agent for a host without one.
alter table host add column runner text;

drop index vm_by_name;
create index vm_by_name on vm (lower(name), id, status, host, vcpus, memory, search) where gone_at is null;

-- Good once, for one console, with any server. Only the hash is kept.
create table console_ticket (
    hash blob primary key,
    username text not null,
    host text not null,
    vm text not null,
    expires_at integer not null
) strict;
