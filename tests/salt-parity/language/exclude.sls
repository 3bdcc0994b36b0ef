# What is taken out again, by SLS and by ID
include: [sib, req2]
exclude:
  - sls: req2
  - id: s2
stays: test.nop
