#!/usr/bin/env python3
"""Sends what a program prints to a streamrelay channel, as it comes.

One file, standard library only, Python >= 3.6. The channel comes from STREAMRELAY_URL,
STREAMRELAY_CHANNEL and STREAMRELAY_TOKEN (or RELAY_URL, CHANNEL_ID, RELAY_SECRET). With STREAMRELAY_KEY
the stream is encrypted end to end (v2 of docs/protocol.md), through the package `cryptography` or
OpenSSL's libcrypto (STREAMRELAY_CIPHER=libcrypto takes that in any case). It goes through http_proxy,
https_proxy and no_proxy, and trusts the CAs in SSL_CERT_FILE, CURL_CA_BUNDLE or REQUESTS_CA_BUNDLE.
Where no relay can be reached, STREAMRELAY_SPOOL is a folder that an executor follows.

  python3 producer.py run -- command …         run a command, stream its output, report how it ended
  my-program | python3 producer.py pipe        stream standard input; add --eof-is-done where the end
                                               of input is known to be success
  python3 producer.py input FILE               fetch the channel's input (exit 3: none, 4: cancelled)
  python3 producer.py report --verdict FILE    report a failure unless the channel has its end
  python3 producer.py task-key ARRAY TASK      print the key of one task of a job array
  python3 producer.py check                    exit 0 when this producer can be used here

pipe also takes --verdict FILE (how the program ended: "exit N" or "signal N", then the end of its
stderr) and --pid FILE (its process group, which is ended when the stream is cancelled).

Output is kept (8 MiB in memory, then in a temporary file) while the relay can't be reached. In
seconds: STREAMRELAY_HEARTBEAT (15), STREAMRELAY_GIVE_UP (600, after the end of the program),
STREAMRELAY_KILL_AFTER (5), STREAMRELAY_DRAIN (2), STREAMRELAY_HINT (60), STREAMRELAY_TIMEOUT (30),
STREAMRELAY_LOOK (2, for a cancel in a spool).
"""

# Length: one file, so that it can be copied to wherever it is needed.

import base64
import binascii
import codecs
import collections
import ctypes
import ctypes.util
import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

STDERR_TAIL = 8192
IGNORED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT")


def seconds(name, default):
    try:
        return float(os.environ["STREAMRELAY_" + name])
    except (KeyError, ValueError):
        return default


def setting(*names):
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def say(sentence):
    sys.stderr.write("streamrelay: %s\n" % sentence)
    sys.stderr.flush()


class Refused(Exception):
    """The relay's final answer: trying again can't help."""

    def __init__(self, code, message, details=None):
        Exception.__init__(self, "%s (%s)" % (message, code))
        self.code = code
        self.details = details or {}


class Unreachable(Exception):
    """No answer, or none of a relay; trying again may help."""


def trust():
    """Whom to believe: a site's bundle of CAs, by whichever program's variable, else the system's."""
    import ssl  # only where it is needed: some builds lack it
    bundle = setting("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
    if not bundle:
        return ssl.create_default_context()
    try:
        where = {"capath": bundle} if os.path.isdir(bundle) else {"cafile": bundle}
        return ssl.create_default_context(**where)
    except (OSError, ValueError) as error:
        raise Refused("bad_request", "%s is no bundle of CA certificates: %s" % (bundle, error))


def distrust(url, error):
    why = str(error).partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or str(error)
    return Refused("unreachable", "the certificate of %s is not trusted on %s (%s); expected SSL_CERT_FILE to name the CAs that signed it" % (url, os.uname()[1], why))


class Relay:
    """HTTP to the relay over one kept connection. Every request may be repeated safely."""

    trouble = "no relay answers at"

    def __init__(self):
        urls = setting("STREAMRELAY_URL", "RELAY_URL")
        self.channel = setting("STREAMRELAY_CHANNEL", "CHANNEL_ID")
        self.token = setting("STREAMRELAY_TOKEN", "RELAY_SECRET")
        if not urls or not self.channel:
            raise Refused("bad_request", "STREAMRELAY_URL and STREAMRELAY_CHANNEL must be set")
        self.key = read_key()
        self.urls = collections.deque(url.strip() for url in urls.split(",") if url.strip())
        for url in self.urls:
            if urlsplit(url).scheme not in ("ws", "wss", "http", "https"):
                raise Refused("bad_request", "%s is no relay URL: expected ws://, wss://, http:// or https://" % url)
        self.timeout = seconds("TIMEOUT", 30.0)
        self.tick = seconds("HEARTBEAT", 15.0)
        self.connection = None
        self.lost = 0
        self.answered = False

    def connect(self):
        url = urlsplit(self.urls[0])
        scheme = "https" if url.scheme in ("wss", "https") else "http"
        host, port = url.hostname, url.port or (443 if scheme == "https" else 80)
        self.prefix = url.path.rstrip("/")
        self.headers = {"Host": url.netloc.rpartition("@")[2]}
        if self.token:
            self.headers["Authorization"] = "Bearer " + self.token
        kind = self.secure if scheme == "https" else http.client.HTTPConnection
        proxy = None if proxy_bypass(host) else getproxies().get(scheme) or getproxies().get("all")
        if not proxy:
            self.connection = kind(host, port, timeout=self.timeout)
            return
        proxy = urlsplit(proxy if "://" in proxy else "http://" + proxy)
        extra = {}
        if proxy.username:
            pair = "%s:%s" % (unquote(proxy.username), unquote(proxy.password or ""))
            extra["Proxy-Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self.connection = kind(proxy.hostname, proxy.port or 3128, timeout=self.timeout)
        if scheme == "https":
            self.connection.set_tunnel(host, port, extra)
        else:
            self.prefix = "http://%s%s" % (self.headers["Host"], self.prefix)
            self.headers.update(extra)

    def secure(self, host, port, timeout):
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=trust())

    def request(self, method, path, body=None, headers=None):
        """Returns status and bytes of the answer; raises Refused or Unreachable."""
        fresh = self.connection is None
        try:
            if fresh:
                self.connect()
            target = "%s/v1/channels/%s%s" % (self.prefix, quote(self.channel, safe=""), path)
            self.connection.request(method, target, body, dict(self.headers, **(headers or {})))
            answer = self.connection.getresponse()
            content = answer.read()
            if not answer.chunked and not answer.getheader("Content-Length") and answer.status != 204:
                raise http.client.HTTPException("the answer was cut off")  # which Python takes for one of no content
        except (OSError, http.client.HTTPException) as error:
            self.drop()
            self.lost += 1
            if not fresh:  # a kept connection may have been closed meanwhile
                return self.request(method, path, body, headers)
            if "CERTIFICATE_VERIFY_FAILED" in str(error) and len(self.urls) == 1 and not self.answered:
                raise distrust(self.urls[0], error)
            self.urls.rotate(-1)
            raise Unreachable(str(error) or type(error).__name__)
        self.answered = True
        if answer.status < 400:
            return answer.status, content
        try:
            error = json.loads(content.decode("utf-8"))["error"]
            code, message = error["code"], error["message"]
        except (ValueError, KeyError, TypeError):
            self.drop()
            if method == "GET" and answer.status in (403, 405):  # a proxy that lets only POST through
                return self.request("POST", path, b"", headers)
            raise Unreachable("HTTP %d that is no answer of a relay" % answer.status)
        if answer.status >= 500 and answer.status != 501 or answer.status in (408, 425, 429):
            raise Unreachable(message)
        raise Refused(code, message, error.get("details"))

    def drop(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def persist(self, deadline, *request):
        """Repeats a request until it is answered, or until deadline() is over."""
        pause, told = 0.2, False
        while True:
            try:
                return self.request(*request)
            except Unreachable as error:
                left = deadline() - time.monotonic()
                if left <= 0:
                    raise
                if not told:
                    told = True
                    say("%s %s (%s); trying on" % (self.trouble, ",".join(self.urls), error))
            time.sleep(min(left, pause * random.uniform(0.5, 1.0)))
            pause = min(pause * 2, 10.0)


class SpoolFolder(Relay):
    """Answers as a relay does where none can be reached: frames go into a file that the executor follows."""

    trouble = "nothing can be written into the spool"

    def __init__(self):
        self.folder = setting("STREAMRELAY_SPOOL")
        self.channel = setting("STREAMRELAY_CHANNEL", "CHANNEL_ID")
        if not self.channel:
            raise Refused("bad_request", "STREAMRELAY_CHANNEL must be set")
        self.key = read_key()
        self.urls = [self.folder]
        self.heartbeat = seconds("HEARTBEAT", 15.0)
        self.tick = min(self.heartbeat, seconds("LOOK", 2.0))
        self.epoch = self.next = self.size = self.lost = 0
        self.written = 0.0

    def request(self, method, path, body=None, headers=None):
        if not os.path.isdir(self.folder):
            raise Refused("expired", "the spool %s is not there: the stream was ended, or %s does not share that folder" % (self.folder, os.uname()[1]))
        try:
            if path == "/input":
                found = self.read("input")
                return (204, b"") if found is None else (200, base64.b64decode(found))
            if path == "/claim":
                self.claim(json.loads(body.decode("utf-8")))
            elif path == "/records":
                self.append(body, headers)
            answer = {"epoch": self.epoch, "next": self.next, "claims": []}
            wish = self.read("cancel")
            if wish:
                answer["cancel"] = json.loads(wish.decode("utf-8"))
            return 200, json.dumps(answer).encode()
        except (OSError, ValueError) as error:
            raise Unreachable(str(error))

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def claim(self, wish):
        number = 1
        while self.epoch == 0:
            try:
                os.mkdir(os.path.join(self.folder, "%d.claim" % number), 0o700)
                self.epoch = number
            except FileExistsError:
                number += 1
        if self.size == 0:
            self.write(record(dict(wish, spool=1, channel=self.channel, epoch=self.epoch)) + b"\n")

    def append(self, body, headers):
        count = body.count(b"\n") + 1 if body else 0
        if not count and time.monotonic() - self.written < self.heartbeat:
            return
        head = {"n": count, "e": self.epoch, "s": self.next, "b": len(body), "close": headers.get("Producer-Close")}
        self.write(record(head) + b"\n" + body + b"\n")
        self.next += count

    def write(self, frame):
        """Opened and closed each time: a network file system then shows it to others."""
        file = os.open(os.path.join(self.folder, "%d.spool" % self.epoch), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size != self.size:  # half a frame from when the file system was full
                os.ftruncate(file, self.size)
            rest = frame
            while rest:
                rest = rest[os.write(file, rest):]
        finally:
            os.close(file)
        self.size += len(frame)
        self.written = time.monotonic()


def reach():
    return SpoolFolder() if setting("STREAMRELAY_SPOOL") else Relay()


class Libcrypto:
    """AES-256-GCM by OpenSSL's library, for a Python without `cryptography`. 16 bytes of tag at the end."""

    NAMES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so.10", "libcrypto.so.1.0.0", "libcrypto.so.1.0.2", "libcrypto.so")
    GET_TAG, SET_TAG = 0x10, 0x11

    def __init__(self, key):
        self.key = key
        self.lib = self.load()

    @classmethod
    def load(cls):
        for name in cls.NAMES + (None,):  # looking for it asks ldconfig and compilers
            try:
                name = name or ctypes.util.find_library("crypto")
                if not name:
                    break
                lib = ctypes.CDLL(name)
                lib.EVP_CIPHER_CTX_new.restype = lib.EVP_aes_256_gcm.restype = ctypes.c_void_p
                return lib
            except (OSError, AttributeError):
                continue
        raise Refused("unsupported", "a key is set, but this Python can't encrypt: expected the package cryptography, or OpenSSL's libcrypto")

    def encrypt(self, nonce, data, aad):
        return self.work("Encrypt", nonce, data, aad)

    def decrypt(self, nonce, data, aad):
        return self.work("Decrypt", nonce, data[:-16], aad, data[-16:])

    def work(self, way, nonce, data, aad, tag=None):
        lib, size = self.lib, ctypes.c_int()
        call = lambda name: getattr(lib, "EVP_%s%s" % (way, name))
        ctx = ctypes.c_void_p(lib.EVP_CIPHER_CTX_new())
        try:
            out = ctypes.create_string_buffer(len(data) + 16)
            good = call("Init_ex")(ctx, ctypes.c_void_p(lib.EVP_aes_256_gcm()), None, self.key, nonce) == 1
            if aad:
                good = good and call("Update")(ctx, None, ctypes.byref(size), aad, len(aad)) == 1
            length = 0
            if data:
                good = good and call("Update")(ctx, out, ctypes.byref(size), data, len(data)) == 1
                length = size.value
            if tag is not None:
                good = good and lib.EVP_CIPHER_CTX_ctrl(ctx, self.SET_TAG, 16, tag) == 1
            good = good and call("Final_ex")(ctx, ctypes.byref(out, length), ctypes.byref(size)) == 1
            if not good:
                raise ValueError("libcrypto refuses")
            if tag is None:
                tag = ctypes.create_string_buffer(16)
                if lib.EVP_CIPHER_CTX_ctrl(ctx, self.GET_TAG, 16, tag) != 1:
                    raise ValueError("libcrypto gives no tag")
                return out.raw[:length] + tag.raw
            return out.raw[:length]
        finally:
            lib.EVP_CIPHER_CTX_free(ctx)


def aes_gcm(key):
    if os.environ.get("STREAMRELAY_CIPHER") != "libcrypto":
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            return AESGCM(key)
        except Exception:  # not there, or for another Python or libc: the other way may do
            pass
    return Libcrypto(key)


def read_key():
    text = setting("STREAMRELAY_KEY").strip()
    if not text:
        if setting("RELAY_ENCRYPTION_KEY"):
            raise Refused("unsupported", "RELAY_ENCRYPTION_KEY is one of encryption v1, which this producer doesn't speak: expected STREAMRELAY_KEY")
        return None
    try:
        if len(text) == 64:
            return bytes.fromhex(text)
        text = text.replace("-", "+").replace("_", "/").rstrip("=")
        key = base64.b64decode(text + "=" * (-len(text) % 4))
        if len(key) == 32:
            return key
    except ValueError:
        pass
    raise Refused("bad_request", "STREAMRELAY_KEY can't be read: expected 64 hexadecimal digits, or 32 bytes in base64")


def bound(use, channel, *numbers):
    name = channel.encode()
    head = b"streamrelay enc2 " + use.encode() + b"\0" + struct.pack(">H", len(name)) + name
    return head + b"".join(struct.pack(">Q", number) for number in numbers)


def derive(key, salt, info):
    """HKDF-SHA256, 32 bytes."""
    secret = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()


class Session:
    """Seals the records of one claim, each once: what is sent again is the same ciphertext."""

    def __init__(self, key, channel, epoch, continues):
        self.channel, self.epoch, self.continues, self.seq = channel, epoch, continues, 0
        self.salt = os.urandom(32)
        self.cipher = aes_gcm(derive(key, self.salt, bound("session", channel, epoch)))

    def seal(self, lines, end=None):
        """The sealed records for these, the session record before the first ones."""
        sealed = []
        if self.seq == 0:
            sealed.append(self.record(json.dumps({"continues": self.continues} if self.continues else {}).encode(), 0))
        if lines:
            sealed.append(self.record(b"\n".join(lines), 0))
        if end is not None:
            sealed.append(self.record(b'{"count":%d}\n' % (self.seq + 1) + end, 1))
        return sealed

    def record(self, text, final):
        seq, self.seq = self.seq, self.seq + 1
        aad = bound("record", self.channel, self.epoch, seq) + (b"\1" if final else b"\0")
        data = self.cipher.encrypt(bytes(4) + struct.pack(">Q", seq), text, aad)
        data = base64.b64encode(self.salt + data if seq == 0 else data)
        return b'{"type":"enc2","e":%d,"s":%d,"f":%d,"d":"%s"}' % (self.epoch, seq, final, data)


def open_input(key, channel, blob):
    cipher = aes_gcm(derive(key, None, bound("input", channel)))
    try:
        return cipher.decrypt(blob[:12], blob[12:], None)
    except Exception:
        raise Refused("decrypt_failed", "the input was changed, is another channel's, or was sealed with another key")


class Spool:
    """Records between the reader and the sender: bounded memory, then a file."""

    LIMIT = 8 << 20

    def __init__(self):
        self.memory = collections.deque()
        self.bytes = 0
        self.file = None
        self.read_at = self.write_at = 0
        self.ended = self.rung = False
        self.changed = threading.Condition()

    def put(self, record):
        with self.changed:
            while not self.ended:
                if self.write_at == self.read_at and self.bytes < self.LIMIT:
                    self.memory.append(record)
                    self.bytes += len(record)
                    break
                try:
                    self.file = self.file or tempfile.TemporaryFile(prefix="streamrelay")
                    self.file.seek(self.write_at)
                    self.file.write(record + b"\n")
                    self.file.flush()
                    self.write_at += len(record) + 1
                    break
                except OSError:  # no room there either: the program has to wait
                    self.changed.wait(1.0)
            self.changed.notify_all()

    def take(self, timeout):
        """Up to 512 records or 128 KiB; an empty list after the timeout, None at the end."""
        with self.changed:
            if not self.memory and self.write_at == self.read_at and not self.ended and not self.rung:
                self.changed.wait(timeout)
            self.rung = False
            if not self.memory and self.read_at < self.write_at:
                self.file.seek(self.read_at)
                while self.bytes < 1 << 20 and self.read_at < self.write_at:
                    line = self.file.readline()
                    self.read_at += len(line)
                    self.memory.append(line[:-1])
                    self.bytes += len(line) - 1
                if self.read_at == self.write_at:
                    self.file.truncate(0)
                    self.read_at = self.write_at = 0
            batch, size = [], 0
            while self.memory and len(batch) < 512 and (not batch or size + len(self.memory[0]) <= 1 << 17):
                batch.append(self.memory.popleft())
                size += len(batch[-1])
            self.bytes -= size
            self.changed.notify_all()
            return None if not batch and self.ended else batch

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def ring(self):
        """Has whoever waits for records ask the relay at once."""
        with self.changed:
            self.rung = True
            self.changed.notify_all()


class Producer:
    """Sends the spool to the channel, and ends it."""

    def __init__(self, relay, on_cancel, finished=lambda: False):
        self.relay = relay
        self.on_cancel = on_cancel
        self.finished = finished
        self.instance = "py-" + binascii.hexlify(os.urandom(12)).decode()
        self.cancel = None
        self.spool = Spool()
        self.over = None
        self.session = None
        self.silent = True

    def deadline(self):
        """While the program runs there is none: its output is kept."""
        if not self.spool.ended:
            return float("inf")
        if self.over is None:
            self.over = time.monotonic() + seconds("GIVE_UP", 600.0)
        return self.over

    def read(self, source, copy=None):
        """Spools all that a file descriptor gives."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                chunk = os.read(source, 16384)
            except OSError:
                chunk = b""
            self.silent = False
            if copy is not None and chunk:
                pass_on(copy, chunk)
            text = decoder.decode(chunk, not chunk)
            if text:
                self.spool.put(record({"type": "token", "content": text}))
            if not chunk:
                break
        self.spool.end()

    def hint(self):
        wait = seconds("HINT", 60.0)
        if wait > 0:
            time.sleep(wait)
            if self.silent:
                say("no output for %g s; it may be buffered: flush it after each piece, or see stdbuf and PYTHONUNBUFFERED" % wait)

    def claim(self, continues=None):
        wish = {"instance": self.instance}
        if continues:
            wish["continues"] = continues
        answer = self.ask("/claim", json.dumps(wish).encode(), {"Content-Type": "application/json"})
        self.epoch, self.seq = answer["epoch"], answer["next"]
        if self.relay.key:
            self.session = Session(self.relay.key, self.relay.channel, self.epoch, continues)

    def ask(self, path, body, headers):
        _status, content = self.relay.persist(self.deadline, "POST", path, body, headers)
        try:
            answer = json.loads(content.decode("utf-8"))
            next_seq = answer["next"]
        except (ValueError, KeyError, TypeError):
            raise Refused("internal", "the relay's answer has no next: %r" % content[:80])
        if answer.get("cancel") and self.cancel is None and not self.finished():
            self.cancel = answer["cancel"]
            self.on_cancel()
        return dict(answer, next=next_seq)

    def post(self, records, close=None):
        """Sends records, of which the last is the end where it closes, until the relay has all of them."""
        if self.session and close:
            records = self.session.seal(records[:-1], records[-1])
            # that it failed is told, so that a supervisor hears of it; how is inside
            close = "sealed" if close == "done" else close
        elif self.session:
            records = self.session.seal(records)
        while True:
            headers = {
                "Content-Type": "application/x-ndjson",
                "Producer-Id": self.instance,
                "Producer-Epoch": str(self.epoch),
                "Producer-Seq": str(self.seq),
            }
            if close:
                headers["Producer-Close"] = close
            try:
                answer = self.ask("/records", b"\n".join(records), headers)
            except Refused as error:
                expected = error.details.get("expected")
                if error.code != "seq_gap" or not isinstance(expected, int) or not self.seq < expected <= self.seq + len(records):
                    raise
                del records[:expected - self.seq]
                self.seq = expected
                if not records:
                    return
                continue
            self.seq = answer["next"]
            end = answer.get("end")
            if end and not close:
                raise Refused("ended", "the channel was ended by the %s" % end.get("by"))
            return

    def listen(self):
        """Hears of a cancel at once: the relay holds its answer back until there is one."""
        relay, wait = Relay(), min(self.relay.tick, 15.0)
        headers = {
            "Content-Type": "application/x-ndjson",
            "Producer-Id": self.instance,
            "Producer-Epoch": str(self.epoch),
            "Producer-Seq": "0",
            "Prefer": "wait=%g" % wait,
        }
        while not self.spool.ended:
            asked = time.monotonic()
            try:
                answer = json.loads(relay.request("POST", "/records", b"", headers)[1].decode("utf-8"))
                if answer.get("cancel") or answer.get("end"):
                    self.spool.ring()
                    return
            except Exception:
                pass  # whoever sends finds out what is wrong
            # a relay that holds no answer back is not asked more often than it wants signs of life
            time.sleep(max(0.0, asked + wait - time.monotonic()))

    def stream(self):
        """Claims, and sends until the spool ends."""
        self.claim()
        if type(self.relay) is Relay:  # a spool is looked into
            start(self.listen)
        self.post([record({
            "type": "status",
            "state": "running",
            "node": os.uname()[1],
            "jobId": setting("STREAMRELAY_JOB_ID", "SLURM_JOB_ID", "PBS_JOBID") or None,
            "ts": now(),
        })])
        while True:
            batch = self.spool.take(self.relay.tick)
            if batch is None:
                return
            self.post(batch)

    def finish(self, end):
        """Sends the final record. A lost answer to it shows as a channel that is no longer open."""
        lost = self.relay.lost
        try:
            self.post([record(dict(end, ts=now()))], end["type"])
        except Refused as error:
            if error.code not in ("ended", "unauthorized", "not_found", "expired") or lost == self.relay.lost:
                raise


def now():
    return int(time.time() * 1000)


def record(value):
    value = {key: part for key, part in value.items() if part is not None}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def pass_on(target, chunk):
    try:
        while chunk:
            chunk = chunk[os.write(target, chunk):]
    except OSError:
        pass  # nobody reads it there; the stream goes on


def final_record(kind, number, stderr, cancel=None):
    """What ends the stream of a program that ended so."""
    if cancel is not None:
        message = "The stream was cancelled on request" + (": %s" % cancel["reason"] if cancel.get("reason") else "")
        details = {"cancelled": True, "by": cancel.get("by"), "reason": cancel.get("reason")}
        return {"type": "error", "code": "cancelled", "message": message, "details": details}
    if kind == "exit" and number == 0:
        return {"type": "done", "reason": "completed"}
    last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "").strip()
    message = "The program ended with exit code %d" % number if kind == "exit" else "The program was killed by signal %d" % number
    details = {"exitCode" if kind == "exit" else "signal": number, "stderr": stderr, "node": os.uname()[1]}
    return {"type": "error", "code": "job_failed", "message": message + (": " + last[:500] if last else ""), "details": details}


def read_verdict(path):
    """How the program ended, as the wrapper wrote it; None where it didn't."""
    try:
        with open(path, "rb") as file:
            first, _lf, rest = file.read().partition(b"\n")
        kind, number = first.split()
        return kind.decode(), int(number), rest[-STDERR_TAIL:].decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def start(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def kill_group(group):
    for name, pause in (("SIGTERM", seconds("KILL_AFTER", 5.0)), ("SIGKILL", 0)):
        try:
            os.killpg(group, getattr(signal, name))
        except OSError:
            return
        time.sleep(pause)


def pipe(verdict=None, pid=None, eof_is_done=False):
    if verdict:  # signals to the whole job are the wrapper's business
        for name in IGNORED:
            signal.signal(getattr(signal, name), signal.SIG_IGN)

    def end_program():
        while pid and not os.path.exists(verdict or ""):
            try:
                with open(pid) as file:
                    return kill_group(int(file.read()))
            except (OSError, ValueError):
                time.sleep(0.05)
        producer.spool.end()

    def watch():
        # A child of the program that lives on may hold the pipe open after the program's end.
        while not os.path.exists(verdict):
            time.sleep(0.2)
        time.sleep(seconds("DRAIN", 2.0))
        producer.spool.end()

    producer = Producer(reach(), lambda: start(end_program), lambda: bool(verdict) and os.path.exists(verdict))
    start(producer.read, 0)
    start(producer.hint)
    if verdict:
        start(watch)
    try:
        producer.stream()
        ended = read_verdict(verdict) if verdict else ("exit", 0, "") if eof_is_done else None
        if ended is None and producer.cancel is None:
            say("the input ended, but nothing told whether the program succeeded" + ("" if verdict else "; use run -- command, or --eof-is-done"))
            return 1
        producer.finish(final_record(*(ended or ("exit", 1, "")), cancel=producer.cancel))
        return 0
    except (Refused, Unreachable) as error:
        say("streaming stopped: %s" % error)
        while not producer.spool.ended:  # the program must not be held up or killed for it
            producer.spool.take(1.0)
        return 1


def run(command):
    producer = Producer(reach(), lambda: start(end_program))
    own_group = not os.isatty(0)
    env = {name: value for name, value in os.environ.items()
           if name not in ("STREAMRELAY_TOKEN", "STREAMRELAY_KEY", "RELAY_SECRET", "RELAY_ENCRYPTION_KEY")}
    env.setdefault("PYTHONUNBUFFERED", "1")
    stopped = []

    def on_signal(number, _frame):
        stopped.append(number)
        try:
            (os.killpg if own_group else os.kill)(child.pid, number)
        except OSError:
            pass

    def end_program():
        kill_group(child.pid) if own_group else child.terminate()

    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=own_group)
    except OSError as error:
        say("can't run %s: %s" % (command[0], error.strerror))
        producer.spool.end()
        return report_only(producer, ("exit", 127, "%s: %s\n" % (command[0], error.strerror)), 127)
    for name in IGNORED:
        signal.signal(getattr(signal, name), on_signal)
    tail = bytearray()

    def read_stderr():
        while True:
            chunk = os.read(child.stderr.fileno(), 16384)
            if not chunk:
                return
            pass_on(2, chunk)
            tail.extend(chunk)
            del tail[:-STDERR_TAIL]

    errors = threading.Thread(target=read_stderr, daemon=True)
    errors.start()
    start(producer.read, child.stdout.fileno(), 1)
    start(producer.hint)
    result = []

    def send():
        try:
            producer.stream()
        except (Refused, Unreachable) as error:
            result.append(error)
            say("streaming stopped: %s; the program runs on" % error)
            while not producer.spool.ended:
                producer.spool.take(1.0)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    code = child.wait()
    errors.join(seconds("DRAIN", 2.0))
    give_up = time.monotonic() + seconds("DRAIN", 2.0)
    while not producer.spool.ended and time.monotonic() < give_up:
        time.sleep(0.01)
    producer.spool.end()
    producer.finished = lambda: True
    sender.join()
    terminal = next((n for n in stopped if n in (signal.SIGTERM, signal.SIGINT)), None)
    kind, number = ("signal", terminal) if terminal else ("signal", -code) if code < 0 else ("exit", code)
    if not result:
        report_only(producer, (kind, int(number), bytes(tail).decode("utf-8", "replace")), 0, False)
    return code if code > 0 else 128 + int(number) if kind == "signal" else 0


def report_only(producer, ended, code, claim=True):
    try:
        if claim:
            producer.claim()
        producer.finish(final_record(*ended, cancel=producer.cancel))
    except (Refused, Unreachable) as error:
        say("how the program ended could not be told to the relay: %s" % error)
    return code


def report(verdict):
    """A user's own producer may have ended the stream already, or died before it could."""
    ended = read_verdict(verdict)
    if ended is None:
        say("%s holds no verdict" % verdict)
        return 1
    if ended[:2] == ("exit", 0):
        return 0
    producer = Producer(reach(), lambda: None, lambda: True)
    producer.spool.end()
    try:
        _status, content = producer.relay.persist(producer.deadline, "GET", "")
        info = json.loads(content.decode("utf-8"))
        if info.get("end"):
            return 0
        claims = info.get("claims")
        last = claims[-1] if claims else None
        try:
            producer.claim(last and {"epoch": last["epoch"], "count": last["next"]})
        except Refused as error:
            if error.code != "seq_gap":
                raise
            producer.claim()
        producer.finish(final_record(*ended))
        return 0
    except (Refused, Unreachable) as error:
        if getattr(error, "code", "") == "ended":
            return 0
        say("how the program ended could not be told to the relay: %s" % error)
        return 1


def fetch_input(target):
    relay = reach()
    over = time.monotonic() + seconds("GIVE_UP", 600.0)
    try:
        _status, content = relay.persist(lambda: over, "GET", "")
        info = json.loads(content.decode("utf-8"))
        if info.get("cancel") or info.get("end"):
            return 4
        try:
            status, content = relay.persist(lambda: over, "GET", "/input")
        except Refused as error:
            if error.code == "not_found":
                return 3
            raise
        if status == 204:
            return 3
        if relay.key:
            content = open_input(relay.key, relay.channel, content)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        return 0
    except Refused as error:
        if error.code == "ended":
            return 4
        say("the input can't be fetched: %s" % error)
    except (Unreachable, OSError, ValueError) as error:
        say("the input can't be fetched: %s" % error)
    return 1


def check():
    relay = reach()
    if relay.key:
        aes_gcm(relay.key)
    if any(urlsplit(url).scheme in ("wss", "https") for url in relay.urls):
        trust()
    return 0 if sys.version_info >= (3, 6) else 1


def print_task_key(array, task):
    key = read_key()
    if key is None:
        raise Refused("bad_request", "there is no STREAMRELAY_KEY, expected the array's")
    sys.stdout.write(derive(key, None, bound("task", array, int(task))).hex())
    return 0


def main(args):
    try:
        if args[:1] == ["check"] and len(args) == 1:
            return check()
        if args[:1] == ["input"] and len(args) == 2:
            return fetch_input(args[1])
        if args[:1] == ["task-key"] and len(args) == 3:
            return print_task_key(args[1], args[2])
        if args[:1] == ["report"] and len(args) == 3 and args[1] == "--verdict":
            return report(args[2])
        if args[:2] == ["run", "--"] and len(args) > 2:
            return run(args[2:])
        if args[:1] == ["pipe"]:
            options, rest = {}, args[1:]
            while rest:
                if rest[0] == "--eof-is-done":
                    options["eof_is_done"] = True
                    rest = rest[1:]
                elif rest[0] in ("--verdict", "--pid") and len(rest) > 1:
                    options[rest[0][2:]] = rest[1]
                    rest = rest[2:]
                else:
                    break
            if not rest:
                return pipe(**options)
    except Refused as error:
        say(str(error))
        return 1
    sys.stderr.write(__doc__)
    return 0 if args in (["--help"], ["-h"]) else 2


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # not waiting for threads that still read
