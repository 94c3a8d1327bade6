"""Torch's time-outs and disconnects, as torch itself shows them, against a server.

  failures.py timeouts LABEL=HOST:PORT...
  failures.py disconnect SIGNAL READY_FILE LABEL=HOST:PORT...

The second writes READY_FILE when its clients are blocked; the servers are then to be ended.
"""

import os
import socket
import struct
import sys
import threading
import time
from datetime import timedelta

import report
import torch_client
from report import equal, raises
from torch_client import connect

GROUP = "failures"
MODERN = torch_client.has("check")

# What each torch says; 1.13 calls every time-out of an operation the same.
NO_ANSWER = "wait timeout after 300ms, keys: /%s" if MODERN else "Socket Timeout"
# Which of these comes first is the kernel's business, so each is usual with torch's own server.
GONE = ("ailed to recv, got 0 bytes", "Connection reset by peer", "Broken pipe")


def times_out(body, key):
    raises(body, NO_ANSWER % key if MODERN else NO_ANSWER, kinds=(torch_client.StoreError,),
           within=5)


def check_wait(endpoint):
    client = connect(endpoint, timeout=0.3)
    times_out(lambda: client.wait(["nowhere"]), "nowhere")
    times_out(lambda: client.wait(["nowhere"], timedelta(milliseconds=300)), "nowhere")
    client.set("after wait", "usable")
    equal([client.get("after wait"), client.add("after wait n", 7)], [b"usable", 7])


def check_get(endpoint):
    client = connect(endpoint, timeout=0.3)
    times_out(lambda: client.get("nowhere"), "nowhere")
    equal(client.add("after get n", 7), 7)


def check_wait_for_several(endpoint):
    client = connect(endpoint, timeout=0.3)
    client.set("one of two", "1")
    times_out(lambda: client.wait(["one of two", "nowhere"]), "one of two, /nowhere")
    equal(client.get("one of two"), b"1")


def check_multi_get(endpoint):
    client = connect(endpoint, timeout=0.3)
    times_out(lambda: client.multi_get(["nowhere"]), "nowhere")
    equal(client.add("after multi_get", 7), 7)


def check_barrier(endpoint):
    client = connect(endpoint)
    raises(lambda: client.barrier("lonely", 2, timedelta(milliseconds=300)),
           "barrier timeout after 300ms, key: lonely", kinds=(torch_client.StoreError,), within=5)
    equal(client.add("after barrier", 7), 7)


def check_key_after_timeout(endpoint):
    """The key comes after the time-out: no stray byte may get into a later answer."""
    client, other = connect(endpoint, timeout=0.3), connect(endpoint)
    times_out(lambda: client.wait(["tardy"]), "tardy")
    equal(client.add("before tardy", 7), 7)  # Torch 1.13 tells the server only so that it gave up.
    other.set("tardy", "1")
    equal([client.add("before tardy", 1), client.get("tardy")], [8, b"1"])


def check_other_client_vanishes(endpoint):
    """Peers that vanish with a wait or half a request open cost nobody else anything."""
    host, port = endpoint.rsplit(":", 1)
    for last_words in (b"\x06" + struct.pack("<QQ", 1, 5) + b"/ghst", b"\x01" + b"\x05" * 3):
        peer = socket.create_connection((host, int(port)), 5)
        peer.sendall(b"\x00\xce\xf7\x85\x3c" + last_words)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    client = connect(endpoint)
    client.set("ghst", "1")
    equal(client.get("ghst"), b"1")


def check_nobody_listens(_):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # Bound and not listening: a port that refuses for sure.
        endpoint = "127.0.0.1:%d" % unused.getsockname()[1]
        kind = torch_client.NetworkError if MODERN else TimeoutError
        raises(lambda: connect(endpoint, connect_timeout=1), "The client socket has timed out after",
               kinds=(kind,), within=10)


def timeouts(endpoints):
    checks = [check_wait, check_get, check_wait_for_several, check_key_after_timeout,
              check_other_client_vanishes, check_nobody_listens]
    checks += [check_multi_get] if torch_client.has("multi_get") else []
    checks += [check_barrier] if torch_client.has("barrier") else []
    for argument in endpoints:
        label, endpoint = argument.split("=", 1)
        for body in checks:
            report.check(GROUP, label, "time-out: " + body.__name__[6:],
                         lambda b=body, e=endpoint: b(e))


class Blocked:
    """A client that a call blocks in a thread of its own, and how that ended."""

    def __init__(self, endpoint, call):
        self._client, self._call = connect(endpoint, timeout=60), call
        self._error, self._ended_at = None, None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self._call(self._client)
        except Exception as error:  # pylint: disable=broad-except
            self._error = error
        self._ended_at = time.monotonic()

    def fails_soon_after(self, gone_at):
        self._thread.join(max(0, gone_at + 10 - time.monotonic()))
        assert not self._thread.is_alive(), "still blocked 10 s after the server went"
        assert isinstance(self._error, torch_client.NetworkError), "ended with %r" % self._error
        assert any(text in str(self._error) for text in GONE), str(self._error)
        assert self._ended_at - gone_at < 5, "took %.1f s" % (self._ended_at - gone_at)
        return str(self._error)


def idle_client_fails(idle):
    raises(lambda: [idle.get("k") for _ in range(3)], *GONE, kinds=(torch_client.NetworkError,),
           within=5)
    raises(lambda: idle.add("n", 1), *GONE, kinds=(torch_client.NetworkError,), within=5)


def disconnect(signal, ready_file, *targets):
    calls = {"wait": lambda c: c.wait(["never"], timedelta(seconds=60)),
             "get": lambda c: c.get("never")}
    idle, blocked = {}, {}
    for argument in targets:
        label, endpoint = argument.split("=", 1)
        idle[label] = connect(endpoint)
        idle[label].set("k", "v")
        for name, call in calls.items():
            blocked[label, name] = Blocked(endpoint, call)
    time.sleep(0.3)  # From outside nothing shows that a call of torch is blocked.
    with open(ready_file + ".new", "w", encoding="ascii"):
        pass
    os.rename(ready_file + ".new", ready_file)
    gone_at = time.monotonic()
    for (label, name), client in blocked.items():
        report.check(GROUP, label, "server gone by %s: blocked %s" % (signal, name),
                     lambda c=client: c.fails_soon_after(gone_at))
    for label, client in idle.items():
        report.check(GROUP, label, "server gone by %s: idle client" % signal,
                     lambda c=client: idle_client_fails(c))


def main():
    if sys.argv[1] == "timeouts":
        timeouts(sys.argv[2:])
    else:
        disconnect(*sys.argv[2:])
    report.finish()


main()
