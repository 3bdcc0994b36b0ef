# A web server, on a KVM host and on a Xen host alike. What the kinds of hosts call differently is left to them: the type
# of guest, the bus of the disk, the model of the interface, the machine.

default-pool:
  virt.pool_running:
    - name: default
    - ptype: dir
    - target: /var/lib/libvirt/images
    - autostart: True

default-net:
  virt.network_running:
    - name: default
    - bridge: virbr0
    - forward: nat
    - ipv4_config:
        cidr: 192.168.122.0/24
        dhcp_ranges:
          - start: 192.168.122.2
            end: 192.168.122.254
    - autostart: True

web1:
  virt.running:
    - cpu: 1
    - mem: 256
    - disks:
      - name: system
        pool: default
        image: http://127.0.0.1:8471/guest.qcow2
    - interfaces:
      - name: eth0
        network: default
    - graphics:
        type: vnc
    - autostart: True
    - seed: False
    - require:
      - virt: default-pool
      - virt: default-net
