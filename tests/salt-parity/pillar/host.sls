role: web
nested: {deep: [1, {two: 2}]}
virt:
  disk:
    small:
      - system: {size: 8, pool: pool0, format: qcow2}
      - extra: {size: 4, pool: pool0, format: raw, model: scsi}
  nic:
    lan:
      eth0: {type: network, source: net0, mac: '2A:C3:A7:A6:01:20'}
