own: 1
