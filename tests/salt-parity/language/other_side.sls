# Every requisite declared from the other side
a:
  test.succeed_with_changes:
    - require_in: [{test: b}]
    - onchanges_in: [{test: c}]
    - onfail_in: [{test: d}]
    - use_in: [{test: e}]
    - word: used
b: test.nop
c: test.nop
d: test.nop
e: test.nop
f:
  test.nop:
    - prereq_in: [{test: a}]
g:
  test.fail_without_changes:
    - require_in: [{test: h}]
    - onfail_in: [{test: i}]
h: test.nop
i: test.nop
