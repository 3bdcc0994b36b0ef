extend:
  nobody:
    test: [{x: 1}]
