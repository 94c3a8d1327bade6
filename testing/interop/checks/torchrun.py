"""torchrun with our standalone server as the rendezvous endpoint: two workers and an all_reduce.

  torchrun.py static|c10d LABEL=HOST:PORT      (a server that saw no other run)
"""

import os
import subprocess
import sys

import torch

import report
import torch_client

GROUP = "torchrun"
WORKERS = 2
RUN_ID = "rollcall"


def torchrun(how, endpoint):
    host, port = endpoint.rsplit(":", 1)
    environment = dict(os.environ)
    where = ["--rdzv_backend=c10d", "--rdzv_endpoint=" + endpoint, "--nnodes=1:1",
             # Told apart from the default, by which an agent on this machine tries to serve first.
             "--rdzv_conf=is_host=false"]
    if how == "static":
        where = ["--rdzv_backend=static", "--nnodes=1", "--node_rank=0", "--rdzv_endpoint=" + endpoint,
                 "--master_addr=" + host, "--master_port=" + port]
        # Node 0's agent serves the store itself unless it is told that somebody else does.
        environment.update(TORCHELASTIC_USE_AGENT_STORE="True", MASTER_ADDR=host, MASTER_PORT=port)
    if torch.__version__.startswith("1."):
        # This torch cannot say "no redirection" under Python 3.11 (its launcher loses the 0).
        where += ["--redirects=1", "--tee=1"]
    worker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchrun_worker.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=%d" % WORKERS,
               "--rdzv_id=" + RUN_ID] + where + [worker]
    try:
        run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True,
                             timeout=60, check=False)
    except subprocess.TimeoutExpired as late:
        raise AssertionError("not done after 60 s: " + str(late.stdout)) from None
    assert run.returncode == 0, "status %d; its output is above" % run.returncode
    for rank in range(WORKERS):
        assert "rank %d of %d: sum 3.0" % (rank, WORKERS) in run.stdout, run.stdout
    return sorted(run.stdout.split("\n"))[-1]


def left_in_store(endpoint):
    """The rendezvous must have gone through this very server: it holds what the agent wrote."""
    client = torch_client.connect(endpoint)
    assert client.num_keys() > 0, "nothing was stored at the endpoint"
    return "%d keys" % client.num_keys()


def main():
    how, argument = sys.argv[1:]
    label, endpoint = argument.split("=", 1)
    if how == "static" and not torch_client.has("barrier"):
        # Only later torches go on as a client when the port of node 0's agent is taken.
        report.note(GROUP, label, "static", "node 0's agent always serves the store itself in this "
                    "torch, so no other server can be its endpoint")
        report.finish()
    if report.check(GROUP, label, how + ", %d workers, all_reduce" % WORKERS,
                    lambda: torchrun(how, endpoint), deadline=70):
        report.check(GROUP, label, how + ", rendezvous went through the endpoint",
                     lambda: left_in_store(endpoint))
    report.finish()


main()
