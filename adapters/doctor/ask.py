"""One HTTP/1.1 request, for nodes without curl: takes what node_facts.sh gives to curl, prints the
status and the proxy's, and ends with curl's exit codes. Python >= 3.6, standard library only."""
import base64
import os
import socket
import ssl
import sys
import threading
import time
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

WITH_VALUE = {"-D", "-o", "-w", "-H", "-K", "-X", "-T", "--max-time", "--connect-timeout"}


class Failed(Exception):
    """Ends it with a code and a sentence."""


class Request:
    def __init__(self, args):
        self.given, self.headers = {}, []
        rest = iter(args[:-1])
        for name in rest:
            value = next(rest) if name in WITH_VALUE else True
            if name == "-H":
                self.headers.append(value)
            self.given[name] = value
        if "-K" in self.given:
            with open(self.given["-K"]) as file:
                self.headers += [line.split('"')[1] for line in file if line.startswith("header")]
        self.headers = [header for header in self.headers if not header.endswith(":")]
        self.url = urlsplit(args[-1])
        self.over = time.time() + float(self.given.get("--max-time", 20))
        self.status = self.connect = 0

    def left(self, most=1e9):
        left = min(self.over - time.time(), most)
        if left <= 0:
            raise Failed(28, "the time was over")
        return left

    def open(self):
        """Connects, through a proxy where one is set, and speaks TLS where the URL says so."""
        url = self.url
        secure = url.scheme == "https"
        host, port = url.hostname, url.port or (443 if secure else 80)
        proxies = getproxies()
        proxy = None if proxy_bypass(host) else proxies.get(url.scheme) or proxies.get("all")
        self.target = (url.path or "/") + ("?" + url.query if url.query else "")
        login = []
        if not proxy:
            self.dial(host, port)
        else:
            via = urlsplit(proxy if "://" in proxy else "http://" + proxy)
            self.dial(via.hostname, via.port or 80, "proxy ")
            if via.username:
                word = "%s:%s" % (unquote(via.username), unquote(via.password or ""))
                login = ["Proxy-Authorization: Basic " + base64.b64encode(word.encode()).decode()]
            if secure:
                place = "%s:%d" % ("[%s]" % host if ":" in host else host, port)
                self.send("CONNECT %s HTTP/1.1" % place, ["Host: " + place] + login)
                head, _ = self.head()
                self.connect = status_of(head)
                if self.connect // 100 != 2:
                    raise Failed(56, "CONNECT tunnel failed, response %d" % self.connect)
            else:
                self.target = "http://%s%s" % (url.netloc.rpartition("@")[2], self.target)
        if secure:
            self.secure(host)
        return login if not secure else []

    def dial(self, host, port, what=""):
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror:
            raise Failed(5 if what else 6, "Could not resolve %shost: %s" % (what or "", host))
        try:
            self.socket = socket.create_connection(
                places[0][4][:2], self.left(float(self.given.get("--connect-timeout", 10))))
        except OSError as error:
            raise Failed(7, "Failed to connect to %s%s port %d: %s" % (what, host, port, error))

    def secure(self, host):
        bundle = os.environ.get("CURL_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
        try:
            context = ssl.create_default_context(cafile=bundle or None)
            if "-k" in self.given:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self.socket.settimeout(self.left())
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        except (OSError, ValueError) as error:
            words = getattr(error, "verify_message", "") or str(error)
            trust = "CERTIFICATE_VERIFY_FAILED" in str(error) or "match" in str(error)
            raise Failed(60 if trust else 35, "SSL certificate problem: " + words if trust else words)

    def send(self, first, headers):
        self.socket.sendall(("\r\n".join([first] + headers) + "\r\n\r\n").encode())

    def receive(self):
        self.socket.settimeout(self.left())
        return self.socket.recv(65536)

    def head(self):
        """The next head, which also goes to the file, and what came behind it."""
        got = b""
        while b"\r\n\r\n" not in got:
            piece = self.receive()
            if not piece:
                raise Failed(52, "Empty reply from server")
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        with open(self.given["-D"], "ab") as file:
            file.write(head + b"\r\n\r\n")
        return head.decode("latin-1"), body

    def upload(self):
        while True:
            piece = os.read(0, 65536)
            self.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not piece:
                return

    def run(self):
        open(self.given["-D"], "wb").close()
        login = self.open()
        upgrade = any(header.lower().startswith("upgrade") for header in self.headers)
        more = [] if upgrade else ["Connection: close"]
        if "-T" in self.given:
            more.append("Transfer-Encoding: chunked")
        self.send("%s %s HTTP/1.1" % (self.given.get("-X", "GET"), self.target),
                  ["Host: " + self.url.netloc.rpartition("@")[2]] + self.headers + login + more)
        if "-T" in self.given:
            threading.Thread(target=self.upload, daemon=True).start()
        head, body = self.head()
        self.status = status_of(head)
        length = [line.split(":")[1] for line in head.lower().split("\r\n")
                  if line.startswith("content-length:")]
        while self.status != 101 and not (length and len(body) >= int(length[0])):
            piece = self.receive()
            if not piece:
                break
            body += piece
        with open(self.given["-o"], "wb") as file:
            file.write(body)


def status_of(head):
    return int(head.split(None, 2)[1])


def main():
    request, code = Request(sys.argv[1:]), 0
    try:
        request.run()
    except Failed as failed:
        code, words = failed.args
        sys.stderr.write("curl: (%d) %s\n" % (code, words))
    except (OSError, ValueError, IndexError) as error:
        code = 28 if isinstance(error, socket.timeout) else 56
        sys.stderr.write("curl: (%d) %s\n" % (code, error))
    if "-w" in request.given:
        sys.stdout.write("%03d %03d" % (request.status, request.connect))
        sys.stdout.flush()
    os._exit(code)


main()
