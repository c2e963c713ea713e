"""Does one thing of the package's crypto: stdin holds `do`, and `key` and `message` where they matter."""

import json
import sys

from cryptography.exceptions import InvalidTag
from streamrelay import generate_key
from streamrelay.crypto import decrypt_message, encrypt_message

ask = json.load(sys.stdin)
try:
    result = {
        "key": lambda: generate_key(),
        "encrypt": lambda: encrypt_message(ask["key"], ask["message"]),
        "decrypt": lambda: decrypt_message(ask["key"], ask["message"]),
    }[ask["do"]]()
    print(json.dumps({"result": result}))
except InvalidTag:
    print(json.dumps({"error": "InvalidTag"}))
