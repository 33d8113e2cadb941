"""The Python half of row L1 (`colony_tests::fire`): whether the published package accepts each signature."""

import base64
import json
import sys

from colony_sdk import verify_webhook

for line in sys.stdin:
    asked = json.loads(line)
    print(verify_webhook(base64.b64decode(asked["body"]), asked["signature"], asked["secret"]))
