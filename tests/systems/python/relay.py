"""The package's relay; port and secret come by the environment, its end by the end of stdin."""

import asyncio
import logging
import os
import sys
import threading

from streamrelay import start_relay

logging.basicConfig(level=logging.INFO)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
asyncio.run(
    start_relay(
        host="127.0.0.1",
        port=int(os.environ["TEST_PORT"]),
        secret=os.environ["TEST_SECRET"],
    )
)
