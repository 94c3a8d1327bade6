"""What client_bench measures, with torch's own client. Runs inside a root that has torch.

  torch_client.py PORT WORK,... OPS [JOIN] [--marks]
"""

import datetime
import os
import signal
import struct
import sys
import time

import torch
import torch.distributed as dist

LARGE_BYTES = 8 << 20
LARGE_COUNTS_AS = 500


def connect(port, **more):
    more["timeout"] = datetime.timedelta(seconds=60)
    # Debian's torch has no libuv, and says so to clients too; torch 1.x does not know the word.
    if not torch.__version__.startswith("1."):
        more["use_libuv"] = False
    return dist.TCPStore("127.0.0.1", port, is_master=False, **more)


def mark(text):
    if "--marks" in sys.argv:
        os.write(2, f"{text}\n".encode())


def measure(work, calls, call):
    for _ in range(max(calls // 20, 1)):
        call()
    mark(f"BEGIN {work}")
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    cpu, wall = time.process_time() - cpu_start, time.perf_counter() - start
    mark(f"END {work}")
    print(f"{work} ops={calls} wall_us={wall / calls * 1e6:.2f} cpu_us={cpu / calls * 1e6:.2f}",
          flush=True)


def run(work, store, ops):
    large_ops = max(ops // LARGE_COUNTS_AS, 1)
    small, large = "0123456789abcdef", "x" * LARGE_BYTES

    def set_get():
        store.set("key", small)
        store.get("key")

    def get_missing():
        try:
            store.wait(["never"], datetime.timedelta(milliseconds=5))
        except RuntimeError:
            pass

    def large_set():
        store.set("large", large)
        store.add("n", 0)

    if work == "add":
        measure(work, ops, lambda: store.add("n", 1))
    elif work == "set":
        measure(work, ops, lambda: store.set("key", small))
        store.add("n", 0)
    elif work == "get":
        store.set("key", small)
        measure(work, ops, lambda: store.get("key"))
    elif work == "get_missing":
        measure(work, max(ops // 1000, 1), get_missing)
    elif work == "set_get":
        measure(work, ops, set_get)
    elif work == "large_set":
        measure(work, large_ops, large_set)
    elif work == "large_get":
        store.set("large", large)
        measure(work, large_ops, lambda: store.get("large"))
    elif work == "nothing":  # What the loop and the binding cost.
        measure(work, ops, lambda: store.timeout)
    else:
        sys.exit(f"torch_client: no work is called '{work}'")


def join_as(port, world_size, go, done):
    os.close(go[1])
    os.read(go[0], 1)
    start = time.process_time()
    store = connect(port, world_size=world_size)
    os.write(done[1], struct.pack("d", (time.process_time() - start) * 1e6))
    signal.pause()
    del store


def measure_join(port, world_size):
    go, done = os.pipe(), os.pipe()
    children = []
    for _ in range(world_size):
        child = os.fork()
        if child == 0:
            join_as(port, world_size, go, done)
            os._exit(0)
        children.append(child)
    time.sleep(0.2)
    start = time.perf_counter()
    os.close(go[1])
    os.close(done[1])
    cpu = [struct.unpack("d", os.read(done[0], 8))[0] for _ in children]
    wall = time.perf_counter() - start
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(f"join ops={world_size} wall_us={wall * 1e6:.2f} cpu_us={sum(cpu) / len(cpu):.2f}",
          flush=True)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--marks"]
    port, works, ops = int(arguments[0]), arguments[1], int(arguments[2])
    if len(arguments) > 3 and int(arguments[3]) > 0:
        measure_join(port, int(arguments[3]))
    if works:
        store = connect(port)
        for work in works.split(","):
            run(work, store, ops)


main()
