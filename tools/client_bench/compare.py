#!/usr/bin/env python3
"""Our client and torch's, side by side on one server of ours: time and CPU a call, the time for many
to join, and, from a trace of system calls, what each call is made of.

  compare.py [--torch=trixie] [--rounds=5] [--ops=20000] [--join=64] [--realtime]

Needs root (torch lives in roots of its own: testing/interop/setup), strace, and
`./bazelw build -c opt //tools:store_server //tools/client_bench`.
The rounds are interleaved, the medians are printed, with the ratio to torch's client.
"""

import argparse
import atexit
import collections
import os
import re
import signal
import statistics
import subprocess
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("ROLLCALL_CACHE", os.path.expanduser("~/.cache/rollcall"))
WORKS = "add,set,get,get_missing,set_get,large_set,large_get"
SENDS = ("sendto", "sendmsg")
CALLS = SENDS + ("recvfrom", "recvmsg", "poll", "ppoll")


def go_before_all():
    """As store_bench --realtime: what is started from here runs before all else, and each core has a
    process that keeps it awake while nobody wants it (tools/bench/awake.h says why)."""
    for core in os.sched_getaffinity(0):
        spinner = os.fork()
        if spinner == 0:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            os.sched_setaffinity(0, {core})
            parent = os.getppid()
            while os.getppid() == parent:
                pass
            os._exit(0)
        atexit.register(os.kill, spinner, signal.SIGKILL)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class Server:
    def __init__(self):
        self.process = subprocess.Popen(
            [f"{REPO}/bazel-bin/tools/store_server", "--host=127.0.0.1", "--port=0"],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def ours(port, works, ops, join=0, marks=False):
    return [f"{REPO}/bazel-bin/tools/client_bench/client_bench", f"--port={port}", f"--work={works}",
            f"--ops={ops}", f"--join={join}", f"--marks={'true' if marks else 'false'}"]


def torch(suite, port, works, ops, join=0, marks=False):
    return [f"{REPO}/third_party/roots/enter_root", f"{CACHE}/roots/torch_{suite}",
            "--bind", f"{REPO}/tools/client_bench:/mnt", "--",
            "python3", "/mnt/torch_client.py", str(port), works, str(ops), str(join),
            *(["--marks"] if marks else [])]


def figures(command):
    lines = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                           check=True).stdout.splitlines()
    return {line.split()[0]: {name: float(value) for name, value in
                              (field.split("=") for field in line.split()[1:])} for line in lines}


def calls_of(command):
    """{work: {call: how many an operation}}, "trips" for receives that follow a send."""
    trace = subprocess.run(
        ["strace", "-f", "-q", "-e", f"trace=write,{','.join(CALLS)}", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
    ops = {line.split()[0]: int(re.search(r"ops=(\d+)", line)[1])
           for line in trace.stdout.splitlines()}
    counts, work, sent = {}, None, False
    for line in trace.stderr.splitlines():
        mark = re.search(r'write\(2, "(BEGIN|END) (\w+)', line)
        if mark:
            work = mark[2] if mark[1] == "BEGIN" else None
            counts.setdefault(mark[2], collections.Counter())
        call = re.search(r"(?:^|\] )(\w+)\(", line)
        if not work or not call or call[1] not in CALLS:
            continue
        name = "send" if call[1] in SENDS else "poll" if "poll" in call[1] else "recv"
        counts[work][name] += 1
        if name == "recv" and sent:
            counts[work]["trips"] += 1
        if name != "poll":
            sent = name == "send"
    return {work: {name: count / ops[work] for name, count in counter.items()}
            for work, counter in counts.items()}


def composition(calls):
    return " ".join(f"{calls.get(name, 0):.1f}" for name in ("trips", "send", "recv", "poll"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", default="trixie")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ops", type=int, default=20000)
    parser.add_argument("--join", type=int, default=64)
    parser.add_argument("--realtime", action="store_true")
    options = parser.parse_args()
    if options.realtime:
        go_before_all()
    runs = {"ours": [], "torch": []}
    # Each run has a server of its own: a join counts into it.
    for i in range(options.rounds):
        print(f"round {i + 1} of {options.rounds}", file=sys.stderr)
        with Server() as server:
            runs["ours"].append(
                figures(ours(server.port, WORKS + ",batch16", options.ops, options.join)))
        with Server() as server:
            runs["torch"].append(
                figures(torch(options.torch, server.port, WORKS + ",nothing", options.ops,
                              options.join)))
    with Server() as server:
        calls = {"ours": calls_of(ours(server.port, WORKS + ",batch16", 2000, marks=True)),
                 "torch": calls_of(torch(options.torch, server.port, WORKS, 2000, marks=True))}

    def median(who, work, name):
        return statistics.median(run[work][name] for run in runs[who])

    print("calls an operation: round trips, sends, receives, polls; us an operation, medians of "
          f"{options.rounds} rounds")
    print(f"{'':12} {'ours: calls':>20} {'wall':>9} {'CPU':>8}   {'torch: calls':>20} {'wall':>9} "
          f"{'CPU':>8}   wall ratio, CPU ratio")
    for work in ("join," + WORKS).split(","):
        cells = [work]
        for who in ("ours", "torch"):
            cells += [composition(calls[who].get(work, {})) if work != "join" else "",
                      median(who, work, "wall_us"), median(who, work, "cpu_us")]
        print("{:12} {:>20} {:9.1f} {:8.2f}   {:>20} {:9.1f} {:8.2f}   {:.2f} {:.2f}".format(
            *cells, cells[2] / cells[5], cells[3] / cells[6]))
    print(f"batch16      {composition(calls['ours']['batch16']):>20} "
          f"{median('ours', 'batch16', 'wall_us'):9.1f} {median('ours', 'batch16', 'cpu_us'):8.2f}")
    print(f"(python's loop and binding: {median('torch', 'nothing', 'cpu_us'):.2f} us of CPU a call)")


main()
