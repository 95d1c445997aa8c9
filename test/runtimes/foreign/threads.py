"""One call in many threads at once, against docs/other-languages/function.py, which the tests put on the path."""

import base64
import threading
import time

import function
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CALLS = 200
THREADS = 16
URL = "https://office.example.com/proto.IPFilter/CheckIP"
BODY = b"{}"


def new_key():
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = {"x": public, "d": key.private_bytes_raw()}
    b64url = {name: base64.urlsafe_b64encode(value).rstrip(b"=").decode() for name, value in text.items()}
    return key, {"kty": "OKP", "crv": "Ed25519", **b64url}


adapter_key, adapter = new_key()
_, own = new_key()


def call(nonce, created):
    """A signed call as an adapter makes it."""
    headers = {
        "content-type": "application/json",
        "content-digest": function.digest_of(BODY),
        "connect-protocol-version": "1",
        "connect-timeout-ms": "5000",
        "plugin-call-id": "0123456789abcdef0123456789abcdef",
        "plugin-function": "office@live",
    }
    listed = " ".join(f'"{name}"' for name in ["@method", "@target-uri", *headers])
    parameters = (
        f'({listed});created={created};expires={created + 30};nonce="{nonce:022}"'
        f';keyid="{function.thumbprint(adapter)}";tag="sftpgo-plugin-call"'
    )
    lines = ['"@method": POST', f'"@target-uri": {URL}']
    lines += [f'"{name}": {value}' for name, value in headers.items()]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = base64.b64encode(adapter_key.sign(base.encode())).decode()
    return {**headers, "signature-input": f"sig={parameters}", "signature": f"sig=:{signature}:"}


def taken(profile, calls, now):
    """How many of these calls, each offered by every thread, were taken how often."""
    counts = [0] * len(calls)
    counting = threading.Lock()
    gate = threading.Barrier(THREADS)

    def offer():
        for at, headers in enumerate(calls):
            # all of them at the same call: each must wait for the others
            gate.wait()
            if profile.accepts(URL, headers, BODY, now):
                with counting:
                    counts[at] += 1

    threads = [threading.Thread(target=offer) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


class Interrupted(dict):
    """A memory in which every look lets the other threads run before its answer is used."""

    def __contains__(self, key):
        found = super().__contains__(key)
        time.sleep(0)
        return found


created = int(time.time())
calls = [call(nonce, created) for nonce in range(CALLS)]
profile = function.Profile("office@live", [adapter], own)
profile.seen = Interrupted()
assert taken(profile, calls, created) == [1] * CALLS, "each call is taken once"
assert taken(profile, calls, created) == [0] * CALLS, "and never again"
# they are forgotten when they have expired for long, and the memory has an end
assert profile.accepts(URL, call(CALLS, created + 91), BODY, created + 91)
assert len(profile.seen) == 1, "what has expired is forgotten"
function.MAX_SEEN = 2
assert profile.accepts(URL, call(CALLS + 1, created + 91), BODY, created + 91)
assert not profile.accepts(URL, call(CALLS + 2, created + 91), BODY, created + 91), "a full memory takes no call"
print(f"{CALLS} calls in {THREADS} threads")
