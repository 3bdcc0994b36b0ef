# The same, changed
pool0:
  virt.pool_running:
    - ptype: dir
    - target: /var/lib/libvirt/pool0
    - permissions: {mode: '0755', owner: 0, group: 0}
    - autostart: True
bare_pool:
  virt.pool_defined:
    - ptype: dir
    - target: /var/lib/libvirt/other
    - autostart: False
net0:
  virt.network_running:
    - bridge: par-br0
    - forward: nat
    - nat: {port: {start: 1024, end: 65535}}
    - ipv4_config:
        cidr: 192.168.144.0/24
        dhcp_ranges: [{start: 192.168.144.10, end: 192.168.144.30}]
        hosts:
          192.168.144.12: {mac: '2A:C3:A7:A6:01:0C', name: srv12}
    - domain: {name: par.example, localOnly: True}
    - dns:
        hosts: {192.168.144.13: [srv13, srv13.par.example]}
        txt: {par.example: hello}
    - autostart: True
net1:
  virt.network_running:
    - bridge: par-br1
    - forward: null
    - mtu: 1400
    - autostart: False
data:
  virt.volume_defined:
    - pool: pool0
    - size: 32
    - format: qcow2
wrong:
  virt.volume_defined:
    - name: data
    - pool: pool0
    - size: 16
    - format: raw
srv01:
  virt.running:
    - cpu: 1
    - mem: 64
    - vm_type: qemu
    - disks:
      - {name: system, model: virtio, format: qcow2, pool: pool0, size: 16}
      - {name: second, model: scsi, format: raw, pool: pool0, size: 8}
      - {name: third, model: virtio, format: qcow2, pool: pool0, size: 8}
    - interfaces:
      - {name: eth0, type: network, source: net0, mac: '2A:C3:A7:A6:01:04'}
      - {name: eth1, type: network, source: net1, mac: '2A:C3:A7:A6:01:05'}
    - graphics: {type: vnc}
    - seed: False
    - require: [{virt: net1}]
srv02:
  virt.running:
    - cpu: 4
    - mem: 96
    - vm_type: qemu
    - boot_dev: cdrom
    - stop_on_reboot: False
    - seed: False
srv03:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - seed: False
late:
  virt.running:
    - name: srv04
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - seed: False
    - onchanges: [{virt: srv02}]
