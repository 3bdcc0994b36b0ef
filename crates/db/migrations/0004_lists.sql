-- Definitions are large and seldom read; beside the rest of a VM they made every list read them, too.
create table vm_xml (
    vm text primary key references vm (id) on delete cascade,
    persistent text,
    live text
) strict, without rowid;
insert into vm_xml (vm, persistent, live) select id, xml_persistent, xml_live from vm;
alter table vm drop column xml_persistent;
alter table vm drop column xml_live;

-- What lists of VMs are filtered and sorted by, and, as narrow as can be, what they are counted by: so that they read
-- the rows of their window alone.
drop index vm_name;
create index vm_by_name on vm (name collate nocase, id, status, host, vcpus, memory, search) where gone_at is null;
create index vm_by_host on vm (host, status, id) where gone_at is null;
