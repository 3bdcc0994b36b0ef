# What is done to VMs rather than declared of them
all_off:
  virt.powered_off:
    - name: 'srv0*'
off_already:
  virt.powered_off:
    - name: srv01
nobody:
  virt.powered_off:
    - name: no-such-vm
asks:
  virt.stopped:
    - name: srv03
