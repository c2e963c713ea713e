"""Encryption v2 of docs/protocol.md, written from that page alone, on `cryptography`.

python encryption_v2.py check VECTORS     checks a file of vectors, prints how many
python encryption_v2.py open              {key, channel, records} on stdin -> {events} or {error}
python encryption_v2.py seal              {key, channel, epoch, continues?, batches, end?} -> {records}
python encryption_v2.py open-input | seal-input   {key, channel, blob} -> {blob}, base64
"""

import base64
import json
import os
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Refused(Exception):
    """Carries a code."""


def bound(use, channel, *numbers):
    name = channel.encode()
    head = b"streamrelay enc2 " + use.encode() + b"\0" + struct.pack(">H", len(name)) + name
    return head + b"".join(struct.pack(">Q", number) for number in numbers)


def derive(key, salt, info):
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(bytes.fromhex(key))


def nonce(seq):
    return bytes(4) + struct.pack(">Q", seq)


def aad(channel, epoch, seq, final):
    return bound("record", channel, epoch, seq) + bytes([final])


def session_key(key, channel, epoch, salt):
    return AESGCM(derive(key, salt, bound("session", channel, epoch)))


def record(epoch, seq, final, data):
    d = base64.b64encode(data).decode()
    return json.dumps({"type": "enc2", "e": epoch, "s": seq, "f": final, "d": d}, separators=(",", ":"))


def seal(key, channel, epoch, batches, end=None, continues=None, salt=None):
    salt = salt or os.urandom(32)
    aes = session_key(key, channel, epoch, salt)
    records = []

    def add(text, final=0):
        seq = len(records)
        sealed = aes.encrypt(nonce(seq), text.encode(), aad(channel, epoch, seq, final))
        records.append(record(epoch, seq, final, salt + sealed if seq == 0 else sealed))

    add(json.dumps({"continues": continues} if continues else {}, separators=(",", ":")))
    for batch in batches:
        add("\n".join(json.dumps(event, ensure_ascii=False) for event in batch))
    if end:
        add('{"count":%d}\n%s' % (len(records) + 1, json.dumps(end)), 1)
    return records


def open_records(key, channel, records):
    events = []
    epoch, wanted, aes, over = 0, 0, None, False
    for line in records:
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict) or value.get("type") != "enc2":
            kind = value.get("type") if isinstance(value, dict) else None
            if kind not in ("status", "error", "gap"):
                raise Refused("tampered")
            if value.get("state") != "restarted":
                events.append(value)
            continue
        e, seq, final, data = value["e"], value["s"], value["f"], base64.b64decode(value["d"])
        if over:
            raise Refused("tampered")
        if seq == 0:
            if e <= epoch or final:
                raise Refused("tampered")
            salt, data = data[:32], data[32:]
            aes = session_key(key, channel, e, salt)
            try:
                said = json.loads(aes.decrypt(nonce(0), data, aad(channel, e, 0, 0)))
            except InvalidTag:
                raise Refused("decrypt_failed")
            if "continues" in said:
                if said["continues"] != {"epoch": epoch, "count": wanted}:
                    raise Refused("tampered")
            elif epoch:
                events.append({"type": "status", "state": "restarted", "attempt": e})
            epoch, wanted = e, 1
            continue
        if e != epoch or seq != wanted:
            raise Refused("tampered")
        try:
            text = aes.decrypt(nonce(seq), data, aad(channel, e, seq, final)).decode()
        except InvalidTag:
            raise Refused("tampered")
        wanted += 1
        lines = [json.loads(one) for one in text.split("\n")]
        if final:
            if lines[0] != {"count": wanted} or len(lines) != 2:
                raise Refused("tampered")
            over = True
            lines = lines[1:]
        if final != (lines[-1].get("type") in ("done", "error")):
            raise Refused("tampered")
        events.extend(lines)
    return events


def input_key(key, channel):
    return AESGCM(derive(key, None, bound("input", channel)))


def open_input(key, channel, blob):
    return input_key(key, channel).decrypt(blob[:12], blob[12:], None)


def seal_input(key, channel, text):
    fresh = os.urandom(12)
    return fresh + input_key(key, channel).encrypt(fresh, text, None)


def text_of(events):
    text = ""
    for event in events:
        if event["type"] == "token":
            text += event["content"]
        elif event.get("state") == "restarted":
            text = ""
    return text


def check(path):
    checked = 0
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    for session in vectors["sessions"]:
        key, channel, epoch = session["key"], session["channel"], session["epoch"]
        salt = bytes.fromhex(session["salt"])
        info = bound("session", channel, epoch)
        assert info.hex() == session["info"], session["name"]
        assert derive(key, salt, info).hex() == session["sessionKey"], session["name"]
        aes = session_key(key, channel, epoch, salt)
        for one in session["records"]:
            seq, final = one["seq"], int(one["final"])
            assert nonce(seq).hex() == one["nonce"]
            assert aad(channel, epoch, seq, final).hex() == one["aad"]
            sealed = aes.encrypt(nonce(seq), one["plaintext"].encode(), aad(channel, epoch, seq, final))
            assert record(epoch, seq, final, salt + sealed if seq == 0 else sealed) == one["line"]
            checked += 1
    for one in vectors["inputs"]:
        info = bound("input", one["channel"])
        assert info.hex() == one["info"]
        assert derive(one["key"], None, info).hex() == one["inputKey"]
        blob = bytes.fromhex(one["blob"])
        assert open_input(one["key"], one["channel"], blob).decode() == one["text"]
        checked += 1
    for stream in vectors["streams"]:
        try:
            events = open_records(stream["key"], stream["channel"], stream["records"])
            assert "code" not in stream, stream["name"]
            assert text_of(events) == stream["text"], stream["name"]
            assert events[-1]["type"] == stream["ends"], stream["name"]
        except Refused as refused:
            assert str(refused) == stream.get("code"), (stream["name"], str(refused))
        checked += 1
    return checked


def main(argv):
    if argv[0] == "check":
        return {"checked": check(argv[1])}
    asked = json.load(sys.stdin)
    if argv[0] == "seal":
        return {"records": seal(**asked)}
    if argv[0] == "open":
        try:
            return {"events": open_records(**asked)}
        except Refused as refused:
            return {"error": str(refused)}
    blob = base64.b64decode(asked["blob"])
    work = {"open-input": open_input, "seal-input": seal_input}[argv[0]]
    return {"blob": base64.b64encode(work(asked["key"], asked["channel"], blob)).decode()}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
