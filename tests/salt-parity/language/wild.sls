# Requisites by pattern, by ID, by name, by words alone; one that is later in the file
web1: test.succeed_with_changes
web2:
  test.nop:
    - name: second
all:
  test.nop:
    - onchanges: [{test: 'web*'}]
by_name:
  test.nop:
    - require: [{test: second}]
by_id:
  test.nop:
    - require: [web1, {id: later}]
none:
  test.nop:
    - onchanges_any: [{test: later}, {test: by_id}]
some:
  test.nop:
    - onchanges_any: [{test: later}, {test: web1}]
later: test.nop
