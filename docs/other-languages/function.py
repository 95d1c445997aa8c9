"""An ipfilter function in Python: the standard library, and Ed25519 from the package `cryptography`.

Environment: PLUGIN_FUNCTION, PLUGIN_CALLERS (a JWKS), PLUGIN_KEY (a private JWK), PORT.
"""

import base64
import hashlib
import json
import os
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_BODY = 1024 * 1024
MAX_SEEN = 100_000
SKEW_S = 30
INPUT = re.compile(
    r'sig=(\(([^()]*)\);created=(\d+);expires=(\d+);nonce="([\w-]{16,64})";'
    r'keyid="([\w-]{43})";tag="sftpgo-plugin-call")'
)
SIGNATURE = re.compile(r"sig=(:([A-Za-z0-9+/]{86}==):)")


def b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(jwk):
    """RFC 7638, for Ed25519 keys (RFC 8037)."""
    text = json.dumps({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def digest_of(body):
    """RFC 9530."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


class Profile:
    """The signatures of both directions; docs/other-languages.md."""

    def __init__(self, function, callers, key, build_id="0" * 64):
        self.function = function
        self.callers = {thumbprint(jwk): Ed25519PublicKey.from_public_bytes(b64url(jwk["x"])) for jwk in callers}
        self.keyid = thumbprint(key)
        self.key = Ed25519PrivateKey.from_private_bytes(b64url(key["d"]))
        self.build_id = build_id
        # nonces by the time until which they are remembered, oldest call first
        self.seen = {}
        self.lock = threading.Lock()

    def accepts(self, url, headers, body, now=None):
        """Is this a call for this function, signed by a listed adapter, for the first time? Header names in lower case."""
        now = time.time() if now is None else now
        found = INPUT.fullmatch(headers.get("signature-input", ""))
        signed = SIGNATURE.fullmatch(headers.get("signature", ""))
        if found is None or signed is None or headers.get("content-digest") != digest_of(body):
            return False
        if headers.get("plugin-function") != self.function or not headers.get("plugin-call-id"):
            return False
        parameters, listed, created, expires, nonce, keyid = found.groups()
        names = ["content-type", "content-digest", "connect-protocol-version", "connect-timeout-ms"]
        names += sorted(name for name in headers if name.startswith("plugin-"))
        if listed != " ".join(f'"{name}"' for name in ["@method", "@target-uri", *names]):
            return False
        if keyid not in self.callers or any(name not in headers for name in names):
            return False
        base = "\n".join(
            ['"@method": POST', f'"@target-uri": {url}']
            + [f'"{name}": {headers[name]}' for name in names]
            + [f'"@signature-params": {parameters}']
        )
        try:
            self.callers[keyid].verify(base64.b64decode(signed[2]), base.encode())
        except InvalidSignature:
            return False
        created, expires = int(created), int(expires)
        if not 0 < expires - created <= 30 or created > now + SKEW_S or expires < now - SKEW_S:
            return False
        return self.is_new(nonce, expires + 2 * SKEW_S, now)

    def is_new(self, nonce, until, now):
        """Takes a nonce that was never seen. In one step: of two threads with the same call, one must find it there."""
        with self.lock:
            while self.seen and next(iter(self.seen.values())) < now:
                del self.seen[next(iter(self.seen))]
            if nonce in self.seen or len(self.seen) >= MAX_SEEN:
                return False
            self.seen[nonce] = until
            return True

    def sign(self, url, request_headers, status, facts, body, now=None):
        """All headers of an answer that fits this one request."""
        headers = {"content-type": "application/json", "content-digest": digest_of(body)}
        plugin = {"plugin-version": self.build_id, **facts}
        headers.update(sorted((name, value) for name, value in plugin.items() if value))
        created = int(time.time() if now is None else now)
        listed = " ".join(f'"{name}"' for name in ["@status", *headers])
        parameters = (
            f'({listed} "@method";req "@target-uri";req "content-digest";req "signature";req;key="sig")'
            f';created={created};keyid="{self.keyid}";tag="sftpgo-plugin-answer"'
        )
        base = "\n".join(
            [f'"@status": {status}']
            + [f'"{name}": {value}' for name, value in headers.items()]
            + [
                '"@method";req: POST',
                f'"@target-uri";req: {url}',
                f'"content-digest";req: {request_headers["content-digest"]}',
                f'"signature";req;key="sig": {SIGNATURE.fullmatch(request_headers["signature"])[1]}',
                f'"@signature-params": {parameters}',
            ]
        )
        signature = base64.b64encode(self.key.sign(base.encode())).decode()
        return {**headers, "signature-input": f"sig={parameters}", "signature": f"sig=:{signature}:"}


def check_ip(request):
    """The plugin's own logic: returns (status, facts, message)."""
    facts = {"plugin-cache": "max-age=60", "plugin-reason": "asked of Python"}
    if request.get("ip") == "192.0.2.66":
        return 403, facts, {"code": "permission_denied", "message": "banned"}
    return 200, facts, {}


METHODS = {"/proto.IPFilter/CheckIP": check_ip, "/proto.IPFilter/Reload": lambda _: (200, {}, {})}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body in one packet
    wbufsize = -1

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return self.reply(413, {}, b"{}")
        body = self.rfile.read(length)
        names = [name.lower() for name in self.headers]
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = self.server.origin + self.path
        # a field that is there twice: which one counts must not be a question
        if len(names) != len(set(names)) or not self.server.profile.accepts(url, headers, body):
            return self.reply(401, {}, b"{}")
        method = METHODS.get(self.path)
        status, facts, message = method(json.loads(body)) if method else (501, {}, {"code": "unimplemented"})
        content = json.dumps(message).encode()
        self.reply(status, self.server.profile.sign(url, headers, status, facts, content), content)

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # SFTPGo may ask 250 times at once; by default five connections wait, and the others for seconds
    request_queue_size = 256


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
    server.profile = Profile(
        os.environ["PLUGIN_FUNCTION"],
        json.loads(os.environ["PLUGIN_CALLERS"])["keys"],
        json.loads(os.environ["PLUGIN_KEY"]),
    )
    server.origin = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{server.server_port}")
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
