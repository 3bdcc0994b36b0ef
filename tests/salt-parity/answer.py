"""Salt's side, for Salt's own Python: calls one a line on standard input, [function, argument…] in JSON; their answers
likewise, one a line. One process for all calls: what salt-call does for each, without its start.

    PYTHON answer.py CONFIG_DIR
"""

import json
import logging
import os
import sys

import salt.client
import salt.config

logging.disable(logging.CRITICAL)
# Answers have the real standard output to themselves.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

caller = salt.client.Caller(mopts=salt.config.minion_config(os.path.join(sys.argv[1], "minion")))
for line in sys.stdin:
    function, *arguments = json.loads(line)
    try:
        told = caller.function(function, *arguments)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        told = [str(error)]
    answers.write(json.dumps(told, default=repr) + "\n")
    answers.flush()
