"""Sixty torch clients at once, each a connection of its own, mixing set, get and add.

  crowd.py LABEL=HOST:PORT...
"""

import sys
import threading

import report
import torch_client

CLIENTS = 60
ADDS = 20


def crowd(endpoint):
    errors, start = [], threading.Barrier(CLIENTS)

    def member(rank):
        try:
            store = torch_client.connect(endpoint, timeout=30, connect_timeout=30)
            start.wait(30)
            store.set("member/%d" % rank, "x" * rank)
            for _ in range(ADDS):
                store.add("crowd", 1)
                store.set("scratch/%d" % rank, "y")
            for step in (1, 7, 31):
                peer = (rank + step) % CLIENTS
                report.equal(store.get("member/%d" % peer), b"x" * peer)
            if store.add("left", 1) == CLIENTS:
                store.set("all left", "1")
            store.wait(["all left"])
            report.equal(store.get("crowd"), b"%d" % (CLIENTS * ADDS))
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=member, args=(r,), daemon=True) for r in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(45)
    assert not any(t.is_alive() for t in threads), "some clients are still blocked"
    if errors:
        raise errors[0]


def main():
    for argument in sys.argv[1:]:
        label, endpoint = argument.split("=", 1)
        report.check("crowd", label, "%d clients at once" % CLIENTS, lambda e=endpoint: crowd(e),
                     deadline=60)
    report.finish()


main()
