# prereq with a target that would change and one that would not
p1:
  test.nop:
    - prereq: [{test: p2}]
p2:
  test.succeed_with_changes: []
p3:
  test.nop:
    - prereq: [{test: p4}]
p4:
  test.nop: []
