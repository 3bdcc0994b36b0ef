# Scalars as PyYAML and Salt read them
all:
  test.nop:
    - words: [yes, No, on, OFF, ~, null, "yes", y]
    - numbers: [0770, 0x1F, 0b11, 1_000, 1e3, 1.5e3, .5, 010, 08, +1, -0]
    - times: [2026-01-02, 2026-01-02 03:04:05]
    - merged: {<<: {a: 1, b: 2}, a: 3}
    - folded: >-
        one
        line
    - kept: |
        two
        lines
