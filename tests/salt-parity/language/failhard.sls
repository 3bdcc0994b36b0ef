# A state whose failure ends the run
a: test.succeed_with_changes
b:
  test.fail_with_changes:
    - failhard: True
c: test.nop
