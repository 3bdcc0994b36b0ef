include: [other]
exclude: [{id: gone}]
extend:
  other:
    test:
      - require_in: [{test: a}]
gone: test.nop
a:
  test.nop:
    - names: [x, {y: [{z: 1}]}]
    - order: last
    - onchanges: [{sls: other}]
b:
  test.nop:
    - prereq: [{test: a}]
    - listen: [c]
    - retry: {attempts: 2, interval: 1}
c:
  test: [nop, {failhard: True}, {onfail_any: [{id: b*}]}, {use: [a]}]
