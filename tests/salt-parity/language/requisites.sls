# Every requisite with a target that fails, one that changes and one that does neither
a:
  test.fail_without_changes: []
b:
  test.nop:
    - require: [{test: a}]
c:
  test.nop:
    - onfail: [{test: a}]
d:
  test.succeed_with_changes: []
e:
  test.nop:
    - onchanges: [{test: d}]
f:
  test.nop:
    - onchanges: [{test: c}]
g:
  test.nop:
    - require_any: [{test: a}, {test: d}]
h:
  test.nop:
    - order: first
i:
  test.nop:
    - order: last
j:
  test.nop:
    - watch: [{test: d}]
k:
  test.nop:
    - require: [{sls: req2}]
l:
  test.nop:
    - onfail_all: [{test: a}, {test: d}]
m:
  test.nop:
    - onfail_any: [{test: a}, {test: d}]
include: [req2]
