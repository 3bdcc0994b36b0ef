# For requisites on an SLS
x2: test.nop
