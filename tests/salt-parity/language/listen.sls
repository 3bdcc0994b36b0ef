# What listens and watches is called again; a virt state has nothing to be called
a: test.succeed_with_changes
b:
  test.nop:
    - listen: [{test: a}]
c:
  test.nop:
    - listen: [{test: b}]
d:
  test.nop:
    - watch: [{test: a}, {test: c}]
e:
  test.succeed_with_changes:
    - watch: [{test: a}]
    - listen_in: [{test: c}]
