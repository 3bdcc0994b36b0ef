# Disks that are filled, that stand on others, that are there
from_image:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - disks:
      - {name: system, pool: pool0, image: {{ pillar['image'] }}, format: qcow2}
      - {name: stands, pool: pool0, format: qcow2, size: 32, backing_store_path: data, backing_store_format: qcow2}
      - {name: there, model: scsi, source_file: {{ pillar['there'] }}, format: raw, io: threads}
      - {name: cd, device: cdrom, model: ide, source_file: {{ pillar['there'] }}}
    - seed: False
snapped:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - disks:
      - {name: system, pool: pool0, size: 8, format: qcow2}
    - seed: False
in_folder:
  virt.defined:
    - cpu: 1
    - mem: 32
    - vm_type: qemu
    - disks:
      - {name: system, pool: /var/lib/libvirt/pool0, size: 8, format: qcow2}
    - seed: False
