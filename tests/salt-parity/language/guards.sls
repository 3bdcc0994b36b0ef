# onlyif and unless by command, by list, by function
command:
  test.nop:
    - onlyif: ['true', 'false']
both:
  test.nop:
    - onlyif: 'true'
    - unless: 'false'
list:
  test.nop:
    - unless: ['true', 'false']
function:
  test.nop:
    - onlyif: [{fun: test.echo, args: [x]}]
nothing:
  test.nop:
    - unless: [{fun: test.echo, text: x}]
files:
  test.nop:
    - creates: [/etc/passwd, /etc/group]
missing:
  test.nop:
    - creates: [/etc/passwd, /no/such/file]
