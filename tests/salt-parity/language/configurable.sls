# Results of every kind, also those of a dry run
changes: {test.configurable_test_state: [{changes: True}, {result: True}, {comment: one}]}
fails: {test.configurable_test_state: [{changes: True}, {result: False}, {comment: two}]}
quiet: {test.configurable_test_state: [{changes: False}, {result: True}]}
warns:
  test.configurable_test_state:
    - changes: False
    - result: True
    - warnings: look out
told: {test.show_notification: [{text: a text}]}
