base:
  '*': [sib]
  'kvm* and G@id:kvm1':
    - match: compound
    - web
  'role:web': [{match: pillar}, req2]
  'xen*': [names]
