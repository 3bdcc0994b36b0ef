-- Keys that agents have shown. fingerprint is the SHA-256 of the public key; host and name are what the agent says it
-- is. A key is denied while another one has its host or name.
create table agent_key (
    fingerprint blob primary key,
    host text not null,
    name text not null,
    status text not null,
    address text not null,
    seen_at integer not null,
    decided_at integer,
    decided_by text
) strict;
create unique index agent_key_name on agent_key (name) where status <> 'denied';
create unique index agent_key_host on agent_key (host) where status <> 'denied';
create index agent_key_status on agent_key (status, seen_at);

-- Secrets that stand for one acceptance each. Only their hashes are kept.
create table join_token (
    hash blob primary key,
    user text not null,
    created_at integer not null,
    expires_at integer not null
) strict;
