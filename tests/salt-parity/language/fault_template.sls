a: {test.nop: [{x: {{ no_such_name }}}]}
