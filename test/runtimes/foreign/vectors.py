"""Runs docs/other-languages/vectors.json against docs/other-languages/function.py, which the tests put on the path."""

import json
import sys

from function import Profile

with open(sys.argv[1], encoding="utf-8") as file:
    vectors = json.load(file)
adapter, own = vectors["keys"]["adapter"], vectors["keys"]["function"]


def profile():
    return Profile(vectors["function"], [adapter["jwk"]], own["jwk"])


request = vectors["request"]
body = request["body"].encode()
once = profile()
assert once.accepts(request["url"], request["headers"], body, request["created"]), "the good request"
assert not once.accepts(request["url"], request["headers"], body, request["created"]), "the same request again"
for case in vectors["refused"]:
    assert not profile().accepts(case["url"], case["headers"], case["body"].encode(), case["now"]), case["why"]
for answer in vectors["answers"]:
    facts = {name: value for name, value in answer["headers"].items() if name.startswith("plugin-")}
    signed = once.sign(
        request["url"], request["headers"], answer["status"], facts, answer["body"].encode(), answer["created"]
    )
    assert signed == answer["headers"], answer["what"]
print(f"{2 + len(vectors['refused']) + len(vectors['answers'])} checks")
