# What cannot be done; the states after it run
full:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - disks: [{name: a, pool: pool0}]
    - seed: False
volume:
  virt.volume_defined:
    - pool: nowhere
    - size: 1
late:
  virt.defined:
    - name: srv03
    - cpu: 1
    - mem: 32
    - require: [{virt: volume}]
after:
  virt.network_defined:
    - name: net1
    - bridge: par-br1
    - forward: null
    - mtu: 1400
    - autostart: False
