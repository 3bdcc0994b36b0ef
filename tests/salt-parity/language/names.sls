# Names, use, extend and order
n1:
  test.nop:
    - names: [x, {y: [{z: 1}]}]
    - w: 2
n2:
  test.nop:
    - name: 5
n3:
  test.nop:
    - use: [{test: n1}]
extend:
  n1:
    test:
      - q: 1
n4:
  test.nop:
    - require_in: [{test: n2}]
    - order: -1
n5:
  test.nop:
    - order: 5
