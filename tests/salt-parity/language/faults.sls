# A run-time fault leaves the others alone
a: test.no_such_function
b: test.nop
c:
  test.nop:
    - require: [{test: a}]
