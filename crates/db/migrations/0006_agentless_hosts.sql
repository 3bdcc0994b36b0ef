-- connection: how a host without an agent of its own is reached, as JSON. The server runs an agent for it.
alter table host add column connection text;
