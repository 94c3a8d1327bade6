"""Plays a worker of a fault scenario with torch's own client, whichever torch this is.

A process of fault_run --rung=real, as fault_injection/real/role_lines.h has them talk. Knows the
steps that torch's client can do; what it sees it reports under the codes of docs/errors.md.
"""

import re
import sys
import time
from datetime import timedelta

from torch_client import connect

# --- The scenario: the little of textproto that the catalogue uses ---

TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\]|\\.)*"|[{}:]|[^\s{}:#"]+')


def parse(tokens):
    message = {}
    while tokens and tokens[0] != "}":
        field = tokens.pop(0)
        if tokens[0] == ":":
            tokens.pop(0)
            value = tokens.pop(0)
            value = value[1:-1].encode().decode("unicode_escape") if value[0] == '"' else value
        else:
            tokens.pop(0)
            value = parse(tokens)
            tokens.pop(0)
        message.setdefault(field, []).append(value)
    return message


def steps_of(scenario, role):
    rank = int(role[1:])
    for group in scenario["workers"]:
        count = int(group.get("count", ["1"])[0])
        if rank < count:
            return group["steps"], group.get("timeout", [None])[0]
        rank -= count
    raise ValueError(f"nobody is called {role}")


def seconds(duration):
    scale = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    return sum(float(n) * scale[unit] for n, unit in re.findall(r"([\d.]+)(ms|us|ns|[hms])", duration))


# --- StepOutcome (fault_injection/scenario/scenario.proto's neighbour), as protobuf encodes it ---

def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def encode(fields):
    out = b""
    for number, value in fields:
        if isinstance(value, str):
            value = value.encode("utf-8", "replace")
            out += varint(number << 3 | 2) + varint(len(value)) + value
        else:
            out += varint(number << 3) + varint(int(value))
    return out.hex()


# --- The talk ---

def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def hear(word):
    for line in sys.stdin:
        heard, _, rest = line.rstrip("\n").partition(" ")
        if heard in ("enable", "disable"):
            say("done_with")
        elif heard == word:
            return rest
    sys.exit(1)


def code_of(operation, error):
    text = str(error).lower()
    if operation == "join":
        return "CONNECT_REFUSED" if "connect" in text else "JOIN_TIMEOUT"
    if re.search(r"time[d]? ?out", text):
        return "WAIT_TIMEOUT" if operation in ("get", "wait") else "REPLY_TIMEOUT"
    return "CONNECTION_LOST"


class Worker:
    def __init__(self, port, default_timeout):
        self.port = port
        self.timeout = default_timeout or "10s"
        self.store = None

    def do(self, operation, step):
        timeout = timedelta(seconds=seconds(step.get("timeout", [self.timeout])[0]))
        argument = step[operation][0]
        if operation == "join":
            self.store = connect(f"127.0.0.1:{self.port}", timeout.total_seconds(),
                                 connect_timeout=timeout.total_seconds())
            return ""
        if operation == "sleep":
            time.sleep(seconds(argument))
            return ""
        self.store.set_timeout(timeout)
        keys = argument.get("keys", []) + argument.get("key", [])
        if operation == "set":
            self.store.set(keys[0], argument["value"][0])
        elif operation == "get":
            return self.store.get(keys[0]).decode("utf-8", "replace")
        elif operation == "add":
            return str(self.store.add(keys[0], int(argument["number"][0])))
        elif operation == "wait":
            self.store.wait(keys, timeout)
        elif operation == "check":
            return "true" if self.store.check(keys) else "false"
        elif operation == "delete_key":
            return "true" if self.store.delete_key(keys[0]) else "false"
        else:
            raise NotImplementedError(f"torch's client has no step {operation}")
        return ""


KNOWN = ("join", "sleep", "set", "get", "add", "wait", "check", "delete_key")


def main():
    flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
    with open(flags["scenario"], encoding="utf-8") as file:
        tokens = [t for t in TOKEN.findall(file.read()) if not t.startswith("#")]
    role = flags["role"]
    steps, timeout = steps_of(parse(tokens), role)
    worker = Worker(int(flags["server_port"]), timeout)
    say("ready")
    began = int(hear("start"))
    seen = {}
    for step in steps:
        operation = next((name for name in KNOWN if name in step), None)
        if operation is None:
            say("failed " + f"torch's client does not know this step: {step}".encode().hex())
            break
        seen[operation] = seen.get(operation, 0) + 1
        name = step.get("name", [operation + (f"#{seen[operation]}" if seen[operation] > 1 else "")])[0]
        fields = [(1, role), (2, int(flags["life"])), (3, name), (4, operation)]
        fields.append((5, time.monotonic_ns() - began))
        say("begin " + encode(fields))
        hear("go")
        error = None
        try:
            fields.append((12, worker.do(operation, step)))
        except Exception as caught:  # pylint: disable=broad-except  # All of torch's, by any name.
            error = caught
        fields += [(6, time.monotonic_ns() - began), (7, True), (8, error is None)]
        if error is not None:
            fields += [(9, type(error).__name__), (10, code_of(operation, error)), (11, str(error))]
        say("end " + encode(fields))
        hear("go")
        if error is not None and "goes_on" not in step:
            break
    say("over")


main()
