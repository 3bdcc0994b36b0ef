# Short forms
s1: test.nop
s2:
  test:
    - nop
