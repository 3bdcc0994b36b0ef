-- removed_at: an administrator has removed the host. Its row stays for the history of its actions, and for its epoch, which
-- only grows; when its agent is let in again, it is back.
alter table host add column removed_at integer;
