# A pool, networks and VMs as a first run makes them
pool0:
  virt.pool_running:
    - ptype: dir
    - target: /var/lib/libvirt/pool0
    - permissions: {mode: '0755', owner: 0, group: 0}
    - autostart: True
bare_pool:
  virt.pool_defined:
    - ptype: dir
    - target: /var/lib/libvirt/bare
    - autostart: False
plain_pool:
  virt.pool_running:
    - ptype: dir
    - target: /var/lib/libvirt/plain
net0:
  virt.network_running:
    - bridge: par-br0
    - forward: nat
    - nat: {port: {start: 1024, end: 65535}}
    - ipv4_config:
        cidr: 192.168.144.0/24
        dhcp_ranges: [{start: 192.168.144.10, end: 192.168.144.25}]
        hosts:
          192.168.144.12: {mac: '2A:C3:A7:A6:01:0C', name: srv12}
    - domain: {name: par.example, localOnly: True}
    - dns:
        hosts: {192.168.144.13: [srv13, srv13.par.example]}
        txt: {par.example: hello}
    - autostart: True
net1:
  virt.network_defined:
    - bridge: par-br1
    - forward: null
    - mtu: 9000
    - autostart: False
plain_net:
  virt.network_running:
    - bridge: par-br2
    - forward: nat
    - ipv4_config: {cidr: 192.168.145.0/24}
data:
  virt.volume_defined:
    - pool: pool0
    - size: 16
    - format: qcow2
    - require: [{virt: pool0}]
srv01:
  virt.running:
    - cpu: 1
    - mem: 64
    - vm_type: qemu
    - disks:
      - {name: system, model: virtio, format: qcow2, pool: pool0, size: 16}
      - {name: second, model: scsi, format: raw, pool: pool0, size: 8}
    - interfaces:
      - {name: eth0, type: network, source: net0, mac: '2A:C3:A7:A6:01:04'}
    - graphics: {type: vnc}
    - serials: [{type: pty}]
    - consoles: [{type: pty, target_type: serial}]
    - seed: False
    - require: [{virt: pool0}, {virt: net0}]
srv02:
  virt.defined:
    - cpu: {maximum: 4, current: 2, mode: custom, model: {name: qemu64}, topology: {sockets: 1, cores: 4, threads: 1}}
    - mem: {boot: 64m, current: 48m}
    - vm_type: qemu
    - boot_dev: cdrom
    - clock: {utc: False, timers: {hpet: {present: False}}}
    - disks:
      - {name: cd, device: cdrom, model: ide, source_file: null}
    - stop_on_reboot: True
    - seed: False
srv03:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - seed: False
