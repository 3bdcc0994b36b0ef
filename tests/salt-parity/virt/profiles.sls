# Disks and interfaces by profiles of the pillar
by_profile:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - disk_profile: small
    - nic_profile: lan
    - disks:
      - {name: extra, size: 6}
      - {name: own, size: 4, pool: pool0}
    - seed: False
