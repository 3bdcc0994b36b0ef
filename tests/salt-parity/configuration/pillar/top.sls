base:
  '*':
    - disks
dev:
  '*':
    - disks
