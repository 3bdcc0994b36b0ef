base:
  'kvm*': [host]
