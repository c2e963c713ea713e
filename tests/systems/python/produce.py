"""Writes a channel with the package's RelayProducer, as the JSON object on stdin says.

Prints one JSON object: `error` and `code` (of the close) of what stopped it, or neither.
"""

import asyncio
import json
import sys

from streamrelay import RelayProducer
from websockets.exceptions import ConnectionClosed

ask = json.load(sys.stdin)
relay = RelayProducer(
    ask["url"],
    ask["channel"],
    encryption_key=ask.get("key") or "",
    relay_secret=ask.get("secret") or "",
)
tokens = ask.get("tokens", [])


def say_error():
    relay.connect()
    for token in tokens:
        relay.send_token(token)
    relay.send_error(ask["message"])
    relay.close()


def crash():
    with relay:
        for token in tokens:
            relay.send_token(token)
        raise ValueError(ask["message"])


def be_refused():
    """Sends a token and waits for the close, as a model that is slower than the relay."""
    relay.connect()
    relay.send_token(".")
    relay._ws.recv()


def finish():
    relay.connect()
    for token in tokens:
        relay.send_token(token)
    relay.send_done(ask.get("usage"))
    relay.close()


def vanish():
    """Leaves without an end."""
    relay.connect()
    for token in tokens:
        relay.send_token(token)
    relay.close()


def use_block():
    with relay:
        for token in tokens:
            relay.send_token(token)


async def use_async_block():
    async with relay:
        for token in tokens:
            await relay._async_send_raw({"type": "token", "content": token})


ways = {
    "error": say_error,
    "crash": crash,
    "refused": be_refused,
    "done": finish,
    "vanish": vanish,
    "block": use_block,
    "async": lambda: asyncio.run(use_async_block()),
}
try:
    ways[ask.get("way", "done")]()
    print(json.dumps({}))
except ConnectionClosed as error:
    print(json.dumps({"error": "closed", "code": error.rcvd and error.rcvd.code}))
except ValueError as error:
    print(json.dumps({"error": str(error)}))
