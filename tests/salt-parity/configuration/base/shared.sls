shared:
  test.succeed_with_changes: []
