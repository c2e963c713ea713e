"""Reads a channel with the package's RelayConsumer, as the JSON object on stdin says.

Prints one JSON object: the `tokens`, and the `error` or close `code` that ended them, if any.
"""

import asyncio
import json
import sys

from streamrelay import RelayConsumer
from websockets.exceptions import ConnectionClosed

ask = json.load(sys.stdin)
consumer = RelayConsumer(
    ask["url"],
    ask["channel"],
    encryption_key=ask.get("key") or "",
    relay_secret=ask.get("secret") or "",
)
got = {"tokens": []}


async def read():
    async for token in consumer:
        got["tokens"].append(token)


try:
    if ask.get("way") == "async":
        asyncio.run(read())
    else:
        for token in consumer.stream():
            got["tokens"].append(token)
except RuntimeError as error:
    got["error"] = str(error)
except ConnectionClosed as error:
    got["code"] = error.rcvd and error.rcvd.code
print(json.dumps(got))
