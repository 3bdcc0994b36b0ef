# Pools that go
bare_pool: virt.pool_deleted
plain_pool:
  virt.pool_deleted:
    - purge: True
never_was: virt.pool_deleted
