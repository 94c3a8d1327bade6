"""A FileStore handed to and fro between torch and our client.

  file_store.py FILE      (our client has written to it; afterwards it looks at what is left here)
"""

import sys
from datetime import timedelta

import torch.distributed

import report
from report import equal


def hand_over(path):
    store = torch.distributed.FileStore(path)
    store.set_timeout(timedelta(seconds=10))
    equal(store.get("ours"), b"from our client")
    equal(store.get("counter"), b"5")
    equal(store.add("counter", 2), 7)
    store.delete_key("deleted by torch")
    store.set("torch's", "from torch\n")


def main():
    report.check("file", "file", "torch reads what our client wrote, and writes on",
                 lambda: hand_over(sys.argv[1]))
    report.finish()


main()
