"""Torch's own standalone store servers: writes their ports to a file, a line each, then stays.

  torch_server.py PORT_FILE [COUNT]     one, if not said otherwise
"""

import os
import sys
import threading

import torch_client


def main():
    port_file = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    stores = [torch_client.serve() for _ in range(count)]
    with open(port_file + ".new", "w", encoding="ascii") as out:
        out.writelines("%d\n" % store.port for store in stores)
    os.rename(port_file + ".new", port_file)
    threading.Event().wait()


main()
