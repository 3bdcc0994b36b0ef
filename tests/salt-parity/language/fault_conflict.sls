include: [sib]
s1: test.nop
