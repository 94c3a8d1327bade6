"""torchrun with our standalone server as the rendezvous endpoint: two workers and an all_reduce.

  torchrun.py static|c10d LABEL=HOST:PORT...      (servers that saw no other run)

static is one agent with two workers, c10d two agents ("nodes") with one worker each.
"""

import os
import subprocess
import sys
import tempfile
import time

import torch

import report
import torch_client

GROUP = "torchrun"
WORKERS = 2
DEADLINE_S = 75
WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchrun_worker.py")


def agent(arguments, environment, output):
    command = [sys.executable, "-m", "torch.distributed.run", "--rdzv_id=rollcall"] + arguments
    if torch.__version__.startswith("1."):
        # This torch cannot say "no redirection" under Python 3.11 (its launcher loses the 0).
        command += ["--redirects=1", "--tee=1"]
    return subprocess.Popen(command + [WORKER], env=dict(os.environ, **environment), stdout=output)


def static_agents(endpoint, output):
    host, port = endpoint.rsplit(":", 1)
    # Node 0's agent serves the store itself unless it is told that somebody else does.
    told = {"TORCHELASTIC_USE_AGENT_STORE": "True", "MASTER_ADDR": host, "MASTER_PORT": port}
    return [agent(["--rdzv_backend=static", "--nnodes=1", "--nproc_per_node=%d" % WORKERS,
                   "--node_rank=0", "--rdzv_endpoint=" + endpoint, "--master_addr=" + host,
                   "--master_port=" + port], told, output)]


def c10d_agents(endpoint, output):
    # As a user would: an agent on the endpoint's own machine first tries to serve there itself,
    # finds the port taken, and goes on as a client.
    return [agent(["--rdzv_backend=c10d", "--nnodes=%d" % WORKERS, "--nproc_per_node=1",
                   "--rdzv_endpoint=" + endpoint], {}, output) for _ in range(WORKERS)]


def torchrun(agents_of, endpoint):
    with tempfile.TemporaryFile("w+") as output:
        agents = agents_of(endpoint, output)
        deadline = time.monotonic() + DEADLINE_S
        try:
            statuses = [a.wait(max(0.1, deadline - time.monotonic())) for a in agents]
        finally:
            for running in agents:
                running.kill()
            output.seek(0)
            lines = output.read().split("\n")
        assert not any(statuses), "status %s; what they wrote is below" % statuses
    for rank in range(WORKERS):
        wanted = "rank %d of %d: sum 3.0" % (rank, WORKERS)
        assert any(wanted in line for line in lines), "no %r in %r" % (wanted, lines)
    return [line for line in lines if "sum" in line][0]


def left_in_store(endpoint):
    """The rendezvous must have gone through this very server: it holds what the agent wrote."""
    client = torch_client.connect(endpoint)
    assert client.num_keys() > 0, "nothing was stored at the endpoint"
    return "%d keys" % client.num_keys()


def main():
    how, agents = sys.argv[1], {"static": static_agents, "c10d": c10d_agents}[sys.argv[1]]
    if how == "static" and not torch_client.has("barrier"):
        # Only later torches go on as a client when the port of node 0's agent is taken.
        report.note(GROUP, "-", "static", "node 0's agent always serves the store itself in this "
                    "torch, so no other server can be its endpoint")
        report.finish()
    for argument in sys.argv[2:]:
        label, endpoint = argument.split("=", 1)
        if report.check(GROUP, label, how + ", %d workers, all_reduce" % WORKERS,
                        lambda e=endpoint: torchrun(agents, e), deadline=DEADLINE_S + 5):
            report.check(GROUP, label, how + ", rendezvous went through the endpoint",
                         lambda e=endpoint: left_in_store(e))
    report.finish()


main()
