"""init_process_group("gloo") and an all_reduce of four ranks, every rank a client of our server.

  process_group.py HOW LABEL=HOST:PORT...      (servers that saw no other group)

HOW is store (the store object is handed in), env (env:// with the agent's store) or tcp (tcp://
with the agent's store).
"""

import faulthandler
import os
import sys
import time
import traceback
from datetime import timedelta

import torch
import torch.distributed as dist

import report
import torch_client

WORLD_SIZE = 4
DEADLINE_S = 45


def join_group(how, rank, endpoint):
    host, port = endpoint.rsplit(":", 1)
    timeout = timedelta(seconds=30)
    if how == "store":
        store = dist.PrefixStore("process group", torch_client.connect(endpoint, timeout=30))
        dist.init_process_group("gloo", store=store, rank=rank, world_size=WORLD_SIZE,
                                timeout=timeout)
        return
    # What torchrun sets for its workers: somebody else serves the store at this address.
    os.environ.update(TORCHELASTIC_USE_AGENT_STORE="True", MASTER_ADDR=host, MASTER_PORT=port,
                      TORCHELASTIC_RESTART_COUNT="0",
                      RANK=str(rank), WORLD_SIZE=str(WORLD_SIZE))
    if how == "env":
        dist.init_process_group("gloo", timeout=timeout)
    else:
        dist.init_process_group("gloo", init_method="tcp://" + endpoint, rank=rank,
                                world_size=WORLD_SIZE, timeout=timeout)


def rank_main(how, rank, endpoint):
    join_group(how, rank, endpoint)
    tensor = torch.tensor([rank + 1.0, rank * rank])
    dist.all_reduce(tensor)
    report.equal(tensor.tolist(), [10.0, 14.0], "the sum over four ranks")
    gathered = [None] * WORLD_SIZE
    dist.all_gather_object(gathered, "rank %d" % rank)
    report.equal(gathered, ["rank %d" % r for r in range(WORLD_SIZE)])
    dist.barrier()
    # Torch 2.6 now and then hangs in destroy_process_group when a peer was faster, with its own
    # server too: so nobody leaves before everybody is done, and then without taking leave.
    leave = torch_client.connect(endpoint, timeout=30)
    if leave.add("ranks done", 1) == WORLD_SIZE:
        leave.set("all ranks done", "1")
    leave.wait(["all ranks done"])


def fork_rank(how, rank, endpoint):
    pid = os.fork()
    if pid:
        return pid
    try:
        faulthandler.dump_traceback_later(DEADLINE_S - 5, exit=True)
        rank_main(how, rank, endpoint)
        os._exit(0)
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def run_ranks(how, endpoint):
    """Returns what went wrong, or nothing. Forks, so no thread may have been started before."""
    running = {fork_rank(how, rank, endpoint): rank for rank in range(WORLD_SIZE)}
    failed, deadline = [], time.monotonic() + DEADLINE_S
    while running and time.monotonic() < deadline:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            time.sleep(0.02)
            continue
        rank = running.pop(pid)
        if status != 0:
            failed.append(rank)
    for pid in running:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    if running:
        return "ranks %s not done after %d s" % (sorted(running.values()), DEADLINE_S)
    return "ranks %s failed" % sorted(failed) if failed else ""


def main():
    how = sys.argv[1]
    name = "gloo, %d ranks, %s" % (WORLD_SIZE, {"store": "store handed in"}.get(how, how + "://"))
    for argument in sys.argv[2:]:
        label, endpoint = argument.split("=", 1)
        wrong = run_ranks(how, endpoint)
        report.line("FAIL" if wrong else "ok", "process_group", label, name, wrong)
    report.finish()


main()
