-- All that migrations 1 to 7 of SQLite make, and `meta` is there already. Identities are UUIDs as text, times microseconds since 1970 in UTC, flags 0 or 1.

-- One row per hypervisor. owner and epoch are the fencing token: every write on a host's behalf names both.
create table host (
    id text collate "C" primary key,
    name text collate "C" not null,
    facts text collate "C" not null,
    freshness text collate "C" not null,
    problem text collate "C" not null default '',
    owner text collate "C" not null,
    epoch bigint not null,
    instance text collate "C" not null,
    seq bigint not null,
    digest bytea,
    gen bigint not null,
    vms_total bigint not null default 0,
    vms_running bigint not null default 0,
    last_seen bigint not null,
    search text collate "C" not null,
    joined bigint not null default 0,
    removed_at bigint,
    connection text collate "C",
    runner text collate "C"
);
create index host_name on host (name);

create table vm (
    id text collate "C" primary key,
    host text collate "C" not null references host (id),
    uuid text collate "C" not null,
    name text collate "C" not null,
    status text collate "C" not null,
    vcpus bigint not null,
    memory bigint not null,
    networks text collate "C" not null,
    doc text collate "C" not null,
    search text collate "C" not null,
    gen bigint not null,
    observed_at bigint not null,
    gone_at bigint,
    unique (host, uuid)
);
create index vm_by_name on vm (lower(name), id) where gone_at is null;
create index vm_by_host on vm (host, status, id) where gone_at is null;
create index vm_gone on vm (gone_at) where gone_at is not null;

create table vm_xml (
    vm text collate "C" primary key references vm (id) on delete cascade,
    persistent text collate "C",
    live text collate "C"
);

create table pool (
    id text collate "C" primary key,
    host text collate "C" not null references host (id),
    uuid text collate "C" not null,
    name text collate "C" not null,
    status text collate "C" not null,
    capacity bigint not null,
    doc text collate "C" not null,
    xml text collate "C" not null,
    xml_live text collate "C",
    search text collate "C" not null,
    gen bigint not null,
    observed_at bigint not null,
    gone_at bigint,
    unique (host, uuid)
);
create index pool_gone on pool (gone_at) where gone_at is not null;

create table network (
    id text collate "C" primary key,
    host text collate "C" not null references host (id),
    uuid text collate "C" not null,
    name text collate "C" not null,
    status text collate "C" not null,
    nic_count bigint not null default 0,
    doc text collate "C" not null,
    xml text collate "C" not null,
    xml_persistent text collate "C",
    search text collate "C" not null,
    gen bigint not null,
    observed_at bigint not null,
    gone_at bigint,
    unique (host, uuid)
);
create index network_gone on network (gone_at) where gone_at is not null;

create table job (
    id text collate "C" primary key,
    fun text collate "C" not null,
    target text collate "C" not null,
    target_kind text collate "C" not null,
    username text collate "C" not null,
    created_at bigint not null
);

-- ord is the order of acceptance. place is where an action stands in its lane: its own ord, but a retry stands
-- where the action stood whose unknown outcome it repeats.
create table action (
    ord bigint generated always as identity primary key,
    id text collate "C" not null unique,
    job text collate "C" not null,
    host text collate "C" not null references host (id),
    lane text collate "C" not null,
    place bigint not null default 0,
    kind text collate "C" not null,
    vm_id text collate "C",
    vm_uuid text collate "C",
    vm_name text collate "C" not null default '',
    fun text collate "C" not null,
    args text collate "C" not null default '',
    kwargs text collate "C" not null default '',
    status text collate "C" not null,
    resolved bigint not null default 0,
    attempt bigint not null default 1,
    gen bigint not null,
    username text collate "C" not null,
    created_at bigint not null,
    started_at bigint,
    finished_at bigint,
    deadline bigint not null,
    progress text collate "C",
    result text collate "C",
    error text collate "C",
    hint text collate "C",
    retry_of text collate "C",
    epoch bigint,
    cancel_wanted bigint not null default 0,
    search text collate "C" not null
);
-- Promise P3 as a rule of the store: whatever the code does, a lane has one action on its way.
create unique index action_lane_in_flight on action (lane) where status in ('sent', 'accepted', 'running');
create index action_lane on action (lane, place, ord);
create index action_host_open on action (host, status) where status in ('queued', 'sent', 'accepted', 'running');
create index action_job on action (job);
create index action_vm on action (vm_id) where vm_id is not null;
create index action_retry on action (retry_of) where retry_of is not null;

-- The same request twice returns the same job.
create table client_key (
    username text collate "C" not null,
    key text collate "C" not null,
    job text collate "C" not null,
    digest bytea not null,
    created_at bigint not null,
    primary key (username, key)
);

-- turn is the transaction that has written the line: lines are read in the order of (turn, rev), up to the oldest
-- transaction that is still open.
create table change_feed (
    turn bigint not null default (pg_current_xact_id()::text::bigint),
    rev bigint generated always as identity primary key,
    topic text collate "C" not null,
    object text collate "C" not null,
    gen bigint not null,
    at bigint not null
);
create index change_feed_order on change_feed (turn, rev);
create index change_feed_at on change_feed (at);

create table account (
    name text collate "C" primary key,
    password text collate "C" not null,
    role text collate "C" not null,
    created_at bigint not null
);

create table session (
    token_hash bytea primary key,
    username text collate "C" not null references account (name) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);
create index session_username on session (username);

create table api_token (
    token_hash bytea primary key,
    name text collate "C" not null unique,
    username text collate "C" not null,
    role text collate "C" not null,
    created_at bigint not null
);

-- Keys that agents have shown. fingerprint is the SHA-256 of the public key; host and name are what the agent says it
-- is. A key is denied while another one has its host or name.
create table agent_key (
    fingerprint bytea primary key,
    host text collate "C" not null,
    name text collate "C" not null,
    status text collate "C" not null,
    address text collate "C" not null,
    seen_at bigint not null,
    decided_at bigint,
    decided_by text collate "C"
);
create unique index agent_key_name on agent_key (name) where status <> 'denied';
create unique index agent_key_host on agent_key (host) where status <> 'denied';
create index agent_key_status on agent_key (status, seen_at);

-- Secrets that stand for one acceptance each. Only their hashes are kept.
create table join_token (
    hash bytea primary key,
    username text collate "C" not null,
    created_at bigint not null,
    expires_at bigint not null
);

-- The servers that share the database.
create table replica (
    id text collate "C" primary key,
    url text collate "C" not null,
    agents text collate "C" not null,
    ca text collate "C" not null,
    key text collate "C" not null,
    seen_at bigint not null
);

-- Good once, for one console, with any server. Only the hash is kept.
create table console_ticket (
    hash bytea primary key,
    username text collate "C" not null,
    host text collate "C" not null,
    vm text collate "C" not null,
    expires_at bigint not null
);
