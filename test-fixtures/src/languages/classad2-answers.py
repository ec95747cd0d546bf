# Answers to ClassAd expressions by HTCondor's Python module classad2, for comparisons.
#
# Standard input: one JSON list [ad, expression, target] per line; target may be null.
# Standard output: one JSON value per line: {"printed": ..., "value": ...}, null if the
# expression does not parse, "failed" if its evaluation ends without a value, "crashed" if
# so does the process. A child answers, so that a crash costs only a fork.
# Environment: TZ=UTC, LC_ALL=C.UTF-8, CONDOR_CONFIG=ONLY_ENV.
import json
import os
import resource
import signal
import sys

import htcondor2  # noqa: F401  adds HTCondor's own functions and its daemons' semantics
import classad2

# Seconds of processor time, which some expressions would use without end.
LIMIT = 10

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


def answer_all(lines, to):
    for line in lines:
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        print(json.dumps(answer(*json.loads(line))), file=to, flush=True)


def answers_of_child(lines):
    # Yields the child's answers, which are fewer than the lines if it crashes.
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        answer_all(lines, os.fdopen(writer, "w"))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        yield from (line for line in answers if line.endswith("\n"))
    os.waitpid(child, 0)


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
lines = sys.stdin.readlines()
done = 0
while done < len(lines):
    for line in answers_of_child(lines[done:]):
        sys.stdout.write(line)
        done += 1
    if done < len(lines):
        print('"crashed"')
        done += 1
