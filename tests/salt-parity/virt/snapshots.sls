# Snapshots: of one VM, of a VM with a disk that cannot keep any, of none
one:
  virt.snapshot:
    - name: 'snap*'
    - suffix: parity
raw:
  virt.snapshot:
    - name: from_image
nobody:
  virt.snapshot:
    - name: no-such-vm
