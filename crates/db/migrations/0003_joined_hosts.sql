-- joined: an agent has served the host with a key. One without is the server's own, and nobody's key may claim it.
alter table host add column joined integer not null default 0;
update host set joined = 1 where id in (select host from agent_key where status in ('accepted', 'rejected'));
