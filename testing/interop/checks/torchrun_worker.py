"""What torchrun starts: joins the group it is told of, all_reduces, and prints the sum."""

import os

import torch
import torch.distributed as dist


def main():
    dist.init_process_group("gloo")
    tensor = torch.tensor([dist.get_rank() + 1.0])
    dist.all_reduce(tensor)
    # One write, so that two workers' lines cannot mix.
    print("rank %d of %d: sum %s, store at %s:%s, agent's: %s\n" % (
        dist.get_rank(), dist.get_world_size(), tensor.item(), os.environ["MASTER_ADDR"],
        os.environ["MASTER_PORT"], os.environ.get("TORCHELASTIC_USE_AGENT_STORE")), end="",
          flush=True)
    dist.destroy_process_group()


main()
