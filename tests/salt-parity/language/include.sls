# Included states come first, in either spelling
include:
  - .sib
z:
  test.nop:
    - require: [{test: s1}]
a: test.nop
