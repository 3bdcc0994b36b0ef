pool0:
  virt.pool_running:
    - name: pool0
    - ptype: dir
    - target: /vms
    - autostart: True

net0:
  virt.network_running:
    - name: net0
    - bridge: net0-br
    - forward: nat
    - ipv4_config:
        cidr: 192.168.44.0/24
        dhcp_ranges:
          - start: 192.168.44.10
            end: 192.168.44.25
    - autostart: True

srv01:
  virt.running:
    - name: srv01
    - cpu: 1
    - mem: 1024
    - disks:
      - name: system
        model: virtio
        format: qcow2
        image: http://127.0.0.1:8471/guest.qcow2
        pool: pool0
        size: 122880
    - interfaces:
      - name: eth0
        type: network
        source: net0
        mac: 2A:C3:A7:A6:01:04
    - graphics:
        type: vnc
    - seed: False
    - require:
      - virt: pool0
      - virt: net0
