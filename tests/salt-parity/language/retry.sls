# Tried again until it is as wanted, or given up
gives_up:
  test.fail_with_changes:
    - retry: {attempts: 3, interval: 1, splay: 0}
at_once:
  test.succeed_with_changes:
    - retry: {attempts: 3, interval: 1}
for_failure:
  test.nop:
    - retry: {attempts: 2, until: False, interval: 1}
