"""The Python half of row R4 (`colony_tests::fire`): one process of the published package.

`chat` makes calls until stdin is closed and says `ok` for each, now and then with a refreshed token or a new
client; `trial` does what it is told, a line for a line. Whatever is raised is told as a line that is not `ok`.
"""

import hashlib
import os
import random
import sys
import threading

from colony_sdk import ColonyClient, RetryConfig


def build():
    key, base_url = os.environ["COLONY_API_KEY"], os.environ["COLONY_BASE_URL"]
    return ColonyClient(key, base_url=base_url, retry=RetryConfig(max_retries=0))


def chat():
    ended = threading.Event()

    def listen():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    client = build()
    while not ended.is_set():
        try:
            chance = random.randrange(24)
            if chance < 2:
                client.refresh_token()
            elif chance == 2:
                client = build()
            client.get_me()
            print("ok", flush=True)
        except Exception as error:  # noqa: BLE001: any is a finding
            print(f"error {type(error).__name__}: {error}", flush=True)


def trial():
    client = build()
    for line in sys.stdin:
        if line == "mint\n":
            client.refresh_token()
        else:
            client = build()
        client.get_me()
        print(hashlib.sha256(client._token.encode()).digest()[:8].hex(), flush=True)


if __name__ == "__main__":
    {"chat": chat, "trial": trial}[sys.argv[1]]()
