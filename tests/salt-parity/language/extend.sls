# What a file changes of one that it includes
include: [sib]
extend:
  s1:
    test:
      - require: [{test: s2}]
      - comment: from outside
after:
  test.nop:
    - name: s3
    - require: [{id: s1}]
