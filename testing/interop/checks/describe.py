"""Says what this torch is: its version, whether it has libuv, its store methods."""

import report
import torch_client


def main():
    present = [m for m in torch_client.METHODS if torch_client.has(m)]
    absent = [m for m in torch_client.METHODS if not torch_client.has(m)]
    report.note("torch", "-", "libuv built in", "yes" if torch_client.libuv_built_in() else "no")
    report.note("torch", "-", "store methods", " ".join(present))
    report.note("torch", "-", "store methods it lacks", " ".join(absent) or "none")
    if torch_client.has("queue_push") and not torch_client.libuv_built_in():
        error = report.raises(lambda: torch_client.serve().queue_push("queue", "value"))
        report.note("torch", "-", "queues", "refused by the client itself: %s" % error)
    report.finish()


main()
