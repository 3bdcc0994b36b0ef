dev:
  '*':
    - disks
