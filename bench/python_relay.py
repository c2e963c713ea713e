"""The relay of the Python package, with a secret, on the port that it is told."""

import asyncio
import os

from streamrelay import start_relay

asyncio.run(
    start_relay(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        secret=os.environ["BENCH_SECRET"],
    )
)
