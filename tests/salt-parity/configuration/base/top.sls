base:
  'role:web':
    - match: grain
    - place
  'images:shared':
    - match: pillar
    - told
dev:
  '*':
    - place
