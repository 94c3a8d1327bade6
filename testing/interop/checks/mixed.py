"""One of several peers, of both dialects, that meet on one server at the same time.

  mixed.py LABEL=HOST:PORT NAME PEER...      (the peers include NAME)
"""

import sys

import report
import torch_client
from report import equal

ADDS = 50


def meet(endpoint, name, peers):
    # Its own first key is all that a peer writes before it waits for all the others.
    store = torch_client.connect(endpoint, timeout=60)
    store.set("from/" + name, "hello from " + name)
    for peer in peers:
        equal(store.get("from/" + peer), b"hello from " + peer.encode())
    for _ in range(ADDS):
        store.add("sum", 1)
    store.set("winner/" + name, store.compare_set("owner", "", name))
    equal(len({store.get("winner/" + peer) for peer in peers}), 1, "number of winners")
    store.set("done/" + name, "1")
    store.wait(["done/" + peer for peer in peers])
    equal(store.get("sum"), b"%d" % (ADDS * len(peers)), "the shared sum")


def main():
    label, endpoint = sys.argv[1].split("=", 1)
    name, peers = sys.argv[2], sys.argv[3:]
    report.check("mixed", label, "%d peers of both dialects on one port" % len(peers),
                 lambda: meet(endpoint, name, peers), deadline=70)
    report.finish()


main()
