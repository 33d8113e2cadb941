"""What the Python package makes of a key, a base URL, a token and an expiry: the name of the cache file and its
text, in the package's own words. One JSON list a line in, one out; the expiry is the number's bits, so that no
other program's way of writing numbers comes between.
"""

import hashlib
import io
import json
import struct
import sys

sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8", newline="\n")
for line in sys.stdin:
    base_url, api_key, token, bits = json.loads(line)
    (expiry,) = struct.unpack(">d", bytes.fromhex(bits))
    digest = hashlib.sha256(f"{base_url.rstrip('/')}|{api_key}".encode()).hexdigest()[:16]
    file = io.StringIO()
    json.dump({"v": 1, "token": token, "expiry": expiry}, file)
    read = json.loads(file.getvalue())
    assert read["token"] == token and float(read["expiry"]) == expiry
    print(json.dumps([f"{digest}.json", file.getvalue()]))
