# Arguments that every state takes
a:
  test.nop:
    - onlyif: 'false'
b:
  test.nop:
    - unless: 'true'
c:
  test.fail_without_changes:
    - retry: {attempts: 2, interval: 1}
d:
  test.nop:
    - check_cmd: ['false']
e:
  test.configurable_test_state:
    - changes: True
    - result: True
    - comment: done
f:
  test.nop:
    - creates: /etc/passwd
