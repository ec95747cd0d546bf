# Answers to ClassAd expressions by HTCondor's Python module classad2, for comparisons.
#
# Standard input: one JSON list [ad, expression, target] per line; target may be null.
# Standard output: one JSON value per line: {"printed": ..., "value": ...}, null if the
# expression does not parse, "failed" if its evaluation ends without a value. The module
# may crash: then start again behind the last answer, whose successor has "crashed".
# Environment: TZ=UTC, LC_ALL=C.UTF-8, CONDOR_CONFIG=ONLY_ENV.
import json
import sys

import htcondor2  # noqa: F401  adds HTCondor's own functions and its daemons' semantics
import classad2

ads = {}


def parsed(text, side):
    # One object for each side: a match of an ad with itself has other results.
    if text is None:
        return None
    if (text, side) not in ads:
        ads[text, side] = classad2.ClassAd(text)
    return ads[text, side]


def answer(my, expression, target):
    try:
        # A line feed, so that a comment does not hide what the module adds.
        tree = classad2.ExprTree(expression + "\n")
    except SyntaxError:
        return None
    try:
        value = tree.simplify(parsed(my, "my"), parsed(target, "target"))
        return {"printed": repr(tree), "value": repr(value)}
    except RuntimeError:
        return "failed"


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)
