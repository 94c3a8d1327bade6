"""Torch's own standalone store server: writes its port to a file once it listens, then stays.

  torch_server.py PORT_FILE
"""

import os
import sys
import threading

import torch_client


def main():
    port_file = sys.argv[1]
    store = torch_client.serve()
    with open(port_file + ".new", "w", encoding="ascii") as out:
        out.write("%d\n" % store.port)
    os.rename(port_file + ".new", port_file)
    threading.Event().wait()


main()
