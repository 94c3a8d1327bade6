"""Bytes captured from real torch, replayed over a socket; every answer compared byte by byte.

  raw_wire.py LABEL=HOST:PORT...      (fresh servers; needs no torch)
"""

import os
import socket
import struct
import sys

os.environ["ROLLCALL_TORCH"] = "raw-bytes"  # Run by some torch's Python, but none of torch in it.
import report  # pylint: disable=wrong-import-position
from report import equal

GROUP = "wire"
GREETING = bytes.fromhex("00 CEF7853C")
NONCE = bytes.fromhex("79710000")


def u64(number):
    return struct.pack("<Q", number)


def text(value):
    return u64(len(value)) + value


class Peer:
    """One connection. Sends bytes and compares what comes back, in order."""

    def __init__(self, endpoint, greeting=b""):
        host, port = endpoint.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 5)
        self.socket.settimeout(5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(greeting)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "closed after %r of %d bytes" % (data, size)
            data += more
        return data

    def ask(self, what, request, reply):
        self.send(request)
        equal(self.receive(len(reply)).hex(), reply.hex(), what)

    def is_silent(self):
        """Nothing unasked has come: the next answer is the one to a PING sent now."""
        self.ask("a PING after it", b"\x0d" + NONCE, NONCE)

    def is_closed(self):
        try:
            rest = self.socket.recv(1)
        except ConnectionResetError:
            return
        equal(rest, b"", "what comes instead of an end")


def modern(endpoint):
    return Peer(endpoint, GREETING)


def check_modern_conversation(endpoint):
    """In one go, in the order in which the bytes were captured from torch 2.14.1."""
    peer = Peer(endpoint)
    for what, request, reply in (
            ("greeting", "00 CEF7853C 0D 79710000", "79710000"),
            ("join", "04 0500000000000000 696E69742F 0100000000000000", "0100000000000000"),
            ("set k", "01 0200000000000000 2F6B 0100000000000000 76", ""),
            ("set e", "01 0200000000000000 2F65 0000000000000000", ""),
            ("wait k", "06 0100000000000000 0200000000000000 2F6B", "00"),
            ("get k", "03 0200000000000000 2F6B", "0100000000000000 76"),
            ("get e", "03 0200000000000000 2F65", "0000000000000000"),
            ("add n 5", "04 0200000000000000 2F6E 0500000000000000", "0500000000000000"),
            ("add n -7", "04 0200000000000000 2F6E F9FFFFFFFFFFFFFF", "FEFFFFFFFFFFFFFF"),
            ("compare_set c", "02 0200000000000000 2F63 0000000000000000 0100000000000000 78",
             "0100000000000000 78"),
            ("num_keys", "07", "0500000000000000"),
            ("delete k", "08 0200000000000000 2F6B", "0100000000000000"),
            ("delete k again", "08 0200000000000000 2F6B", "0000000000000000"),
            ("num_keys less one", "07", "0400000000000000"),
            ("multi_set", "0B 0200000000000000 0300000000000000 2F6D31 0100000000000000 31"
             " 0300000000000000 2F6D32 0200000000000000 3232", ""),
            ("check m1 m9", "05 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D39",
             "01"),
            ("check m1 m2", "05 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D32",
             "00"),
            ("multi_get", "0A 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D32",
             "0100000000000000 31 0200000000000000 3232"),
            ("append", "09 0300000000000000 2F6D31 0100000000000000 21", ""),
            ("get m1", "03 0300000000000000 2F6D31", "0200000000000000 3121"),
            ("barrier of one", "12 0200000000000000 2F62 0100000000000000", "00"),
            ("queue_push", "0E 0200000000000000 2F71 0100000000000000 31", ""),
            ("queue_len", "10 0200000000000000 2F71", "0100000000000000"),
            ("wait for a queue", "06 0100000000000000 0200000000000000 2F71", "00"),
            ("queue_pop", "0F 0200000000000000 2F71", "0100000000000000 0100000000000000 31"),
            ("queue_pop of none", "0F 0200000000000000 2F71", "0000000000000000"),
            ("num_keys without queues", "07", "0700000000000000"),
            ("ping later", "0D 01020304", "01020304")):
        peer.ask(what, bytes.fromhex(request), bytes.fromhex(reply))
    peer.is_silent()
    peer.send(b"\x11")
    names = [peer.receive(struct.unpack("<Q", peer.receive(8))[0])
             for _ in range(struct.unpack("<q", peer.receive(8))[0])]
    equal(sorted(names), [b"/b", b"/c", b"/e", b"/m1", b"/m2", b"/n", b"init/"], "list_keys")
    peer.is_silent()


def check_legacy_conversation(endpoint):
    """What a torch 1.13 client sends; its second connection never says a word."""
    peer, idle = Peer(endpoint), Peer(endpoint)
    for what, request, reply in (
            ("set", "00 0600000000000000 2F6C2F6B6579 0100000000000000 76", ""),
            ("wait", "05 0100000000000000 0600000000000000 2F6C2F6B6579", "00"),
            ("get", "02 0600000000000000 2F6C2F6B6579", "0100000000000000 76"),
            ("add", "03 0400000000000000 2F6C2F6E 0700000000000000", "0700000000000000"),
            ("compare_set", "01 0600000000000000 2F6C2F6B6579 0100000000000000 76"
             " 0100000000000000 77", "0100000000000000 77"),
            ("check", "04 0100000000000000 0600000000000000 2F6C2F6B6579", "00"),
            ("delete", "08 0600000000000000 2F6C2F6B6579", "0100000000000000"),
            ("watch", "07 0400000000000000 2F6C2F77", "03"),
            ("a watched set", "00 0400000000000000 2F6C2F77 0100000000000000 31",
             "01 0400000000000000 2F6C2F77 0000000000000000 0100000000000000 31")):
        peer.ask(what, bytes.fromhex(request), bytes.fromhex(reply))
    idle.ask("the idle connection", bytes.fromhex("03 0400000000000000 2F6C2F6E 0100000000000000"),
             bytes.fromhex("0800000000000000"))


def check_dialect_of_a_lone_first_byte(endpoint):
    """Torch 1.13 sends the operation and its operands in segments of their own."""
    peer = Peer(endpoint)
    for piece in ("03", "0400000000000000", "2F736571", "0100000000000000"):
        peer.send(bytes.fromhex(piece))
    equal(peer.receive(8), u64(1))
    peer = Peer(endpoint, b"\x06")
    assert struct.unpack("<q", peer.receive(8))[0] > 0


def check_every_byte_alone(endpoint):
    peer = Peer(endpoint)
    conversation = GREETING + b"\x0d" + NONCE + b"\x01" + text(b"/bytes") + text(b"alone")
    for byte in conversation + b"\x03" + text(b"/bytes"):
        peer.send(bytes([byte]))
    equal(peer.receive(4 + 8 + 5), NONCE + text(b"alone"))


def check_greeting_without_ping(endpoint):
    modern(endpoint).ask("add", b"\x04" + text(b"/unpinged") + u64(1), u64(1))


def check_pipelined_requests(endpoint):
    peer = modern(endpoint)
    peer.send(b"".join(b"\x04" + text(b"/piped") + u64(1) for _ in range(500)))
    equal(peer.receive(8 * 500), b"".join(u64(n) for n in range(1, 501)))


def check_cancelled_wait(endpoint):
    peer, other = modern(endpoint), modern(endpoint)
    wait = b"\x06" + u64(1) + text(b"/cancelled")
    peer.send(wait)
    peer.ask("cancel", b"\x0c", b"\x01")
    other.send(b"\x01" + text(b"/cancelled") + text(b""))
    other.is_silent()
    peer.is_silent()
    # The answer and the cancellation cross: both bytes come, the cancellation's last.
    peer.ask("a wait that is over, and its cancellation", wait + b"\x0c", b"\x00\x01")
    peer.ask("cancel without a wait", b"\x0c", b"\x01")


def check_late_stop_waiting(endpoint):
    peer, other = modern(endpoint), modern(endpoint)
    peer.send(b"\x06" + u64(2) + text(b"/late/1") + text(b"/late/2"))
    peer.is_silent()
    other.send(b"\x0b" + u64(2) + text(b"/late/1") + text(b"1") + text(b"/late/2") + text(b"2"))
    equal(peer.receive(1), b"\x00")
    peer.is_silent()


def check_barrier_of_two(endpoint):
    peer, other = modern(endpoint), modern(endpoint)
    barrier = b"\x12" + text(b"/pair") + u64(2)
    peer.send(barrier)
    peer.is_silent()
    other.ask("the last one in", barrier, b"\x00")
    equal(peer.receive(1), b"\x00")


def check_blocked_queue_consumer(endpoint):
    consumer, producer = modern(endpoint), modern(endpoint)
    consumer.send(b"\x06" + u64(1) + text(b"/work"))
    consumer.is_silent()
    producer.send(b"\x0e" + text(b"/work") + text(b"job"))
    equal(consumer.receive(1), b"\x00")
    consumer.ask("queue_pop", b"\x0f" + text(b"/work"), u64(1) + text(b"job"))
    producer.ask("queue_len", b"\x10" + text(b"/work"), u64(0))


def check_wrong_magic(endpoint):
    Peer(endpoint, bytes.fromhex("00 DEADBEEF") + b"\xff" * 16).is_closed()


def check_unknown_operation(endpoint):
    Peer(endpoint, GREETING + b"\x13").is_closed()
    Peer(endpoint, GREETING + b"\xff").is_closed()


def check_second_greeting(endpoint):
    Peer(endpoint, GREETING * 2).is_closed()


def check_other_protocols(endpoint):
    for words in (b"GET / HTTP/1.1\r\nHost: store\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"):
        Peer(endpoint, words).is_closed()


def check_absurd_length(endpoint):
    Peer(endpoint, GREETING + b"\x01" + u64(1 << 62)).is_closed()
    Peer(endpoint, GREETING + b"\x06" + u64(1 << 62)).is_closed()


def check_add_to_no_number(endpoint):
    peer = modern(endpoint)
    peer.send(b"\x01" + text(b"/word") + text(b"one") + b"\x04" + text(b"/word") + u64(1))
    peer.is_closed()
    modern(endpoint).ask("the value", b"\x03" + text(b"/word"), text(b"one"))


def main():
    checks = [(n, b) for n, b in globals().items() if n.startswith("check_")]
    for argument in sys.argv[1:]:
        label, endpoint = argument.split("=", 1)
        for name, body in checks:
            report.check(GROUP, label, name[6:].replace("_", " "),
                         lambda b=body, e=endpoint: b(e))
    report.finish()


main()
