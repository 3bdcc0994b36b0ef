-- Identities are UUIDs as text, times microseconds since 1970 in UTC, flags 0 or 1.

create table meta (
    key text primary key,
    value text not null
) strict;

-- One row per hypervisor. owner and epoch are the fencing token: every write on a host's behalf names both.
create table host (
    id text primary key,
    name text not null,
    facts text not null,
    freshness text not null,
    problem text not null default '',
    owner text not null,
    epoch integer not null,
    instance text not null,
    seq integer not null,
    digest blob,
    gen integer not null,
    vms_total integer not null default 0,
    vms_running integer not null default 0,
    last_seen integer not null,
    search text not null
) strict;
create index host_name on host (name);

create table vm (
    id text primary key,
    host text not null references host (id),
    uuid text not null,
    name text not null,
    status text not null,
    vcpus integer not null,
    memory integer not null,
    networks text not null,
    doc text not null,
    xml_persistent text,
    xml_live text,
    search text not null,
    gen integer not null,
    observed_at integer not null,
    gone_at integer,
    unique (host, uuid)
) strict;
create index vm_name on vm (name collate nocase) where gone_at is null;
create index vm_gone on vm (gone_at) where gone_at is not null;

create table pool (
    id text primary key,
    host text not null references host (id),
    uuid text not null,
    name text not null,
    status text not null,
    capacity integer not null,
    doc text not null,
    xml text not null,
    xml_live text,
    search text not null,
    gen integer not null,
    observed_at integer not null,
    gone_at integer,
    unique (host, uuid)
) strict;
create index pool_gone on pool (gone_at) where gone_at is not null;

create table network (
    id text primary key,
    host text not null references host (id),
    uuid text not null,
    name text not null,
    status text not null,
    nic_count integer not null default 0,
    doc text not null,
    xml text not null,
    xml_persistent text,
    search text not null,
    gen integer not null,
    observed_at integer not null,
    gone_at integer,
    unique (host, uuid)
) strict;
create index network_gone on network (gone_at) where gone_at is not null;

create table job (
    id text primary key,
    fun text not null,
    target text not null,
    target_kind text not null,
    user text not null,
    created_at integer not null
) strict;

-- ord is the order of acceptance. place is where an action stands in its lane: its own ord, but a retry stands
-- where the action stood whose unknown outcome it repeats.
create table action (
    ord integer primary key autoincrement,
    id text not null unique,
    job text not null,
    host text not null references host (id),
    lane text not null,
    place integer not null default 0,
    kind text not null,
    vm_id text,
    vm_uuid text,
    vm_name text not null default '',
    fun text not null,
    args text not null default '',
    kwargs text not null default '',
    status text not null,
    resolved integer not null default 0,
    attempt integer not null default 1,
    gen integer not null,
    user text not null,
    created_at integer not null,
    started_at integer,
    finished_at integer,
    deadline integer not null,
    progress text,
    result text,
    error text,
    hint text,
    retry_of text,
    epoch integer,
    cancel_wanted integer not null default 0,
    search text not null
) strict;
-- Promise P3 as a rule of the store: whatever the code does, a lane has one action on its way.
create unique index action_lane_in_flight on action (lane) where status in ('sent', 'accepted', 'running');
create index action_lane on action (lane, place, ord);
create index action_host_open on action (host, status) where status in ('queued', 'sent', 'accepted', 'running');
create index action_job on action (job);
create index action_vm on action (vm_id) where vm_id is not null;
create index action_retry on action (retry_of) where retry_of is not null;

-- The same request twice returns the same job.
create table client_key (
    user text not null,
    key text not null,
    job text not null,
    digest blob not null,
    created_at integer not null,
    primary key (user, key)
) strict;

create table change_feed (
    rev integer primary key autoincrement,
    topic text not null,
    object text not null,
    gen integer not null,
    at integer not null
) strict;
create index change_feed_at on change_feed (at);

create table user (
    name text primary key,
    password text not null,
    role text not null,
    created_at integer not null
) strict;

create table session (
    token_hash blob primary key,
    user text not null references user (name) on delete cascade,
    created_at integer not null,
    expires_at integer not null
) strict;
create index session_user on session (user);

create table api_token (
    token_hash blob primary key,
    name text not null unique,
    user text not null,
    role text not null,
    created_at integer not null
) strict;
