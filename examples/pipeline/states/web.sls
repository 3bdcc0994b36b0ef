# What the web servers of kvm1.example shall be. The host as it was last described is in ../host.
web-net:
  virt.network_running:
    - bridge: webbr0
    - forward: nat
    - ipv4_config:
        cidr: 192.168.60.0/24
        dhcp_ranges: [{start: 192.168.60.10, end: 192.168.60.199}]

web-pool:
  virt.pool_running:
    - ptype: dir
    - target: /var/lib/libvirt/web

{% for number in [1, 2] %}
web0{{ number }}:
  virt.running:
    - cpu: {maximum: 4, current: 2}
    - mem: {boot: 256, current: 192}
    - disks:
      - {name: system, format: qcow2, pool: web-pool, size: 64}
      - {name: logs, format: qcow2, pool: web-pool, size: 32}
    - interfaces:
      - {name: eth0, type: network, source: web-net, mac: '52:54:00:60:00:0{{ number }}'}
    - graphics: {type: vnc}
    - require: [{virt: web-net}, {virt: web-pool}]
{% endfor %}
