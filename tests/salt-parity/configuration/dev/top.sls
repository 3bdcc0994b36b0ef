dev:
  'kvm*':
    - place
    - more
