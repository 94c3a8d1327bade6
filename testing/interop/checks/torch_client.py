"""Opens torch's own TCPStore clients, whichever torch this is."""

import functools
from datetime import timedelta

import torch.distributed as dist

# Each method of torch's store that the suite knows; which of them exist depends on the torch.
METHODS = ("set", "get", "add", "compare_set", "check", "wait", "delete_key", "num_keys", "append",
           "multi_get", "multi_set", "has_extended_api", "queue_push", "queue_len", "queue_pop",
           "list_keys", "barrier", "clone", "set_timeout", "timeout")

# torch 1.x raises plain RuntimeError (and TimeoutError from the constructor).
StoreError = getattr(dist, "DistStoreError", RuntimeError)
NetworkError = getattr(dist, "DistNetworkError", RuntimeError)

_CONSTRUCTOR = dist.TCPStore.__init__.__doc__ or ""


def has(method):
    return hasattr(dist.TCPStore, method)


@functools.lru_cache(maxsize=None)
def libuv_built_in():
    """Whether this build has libuv. Without it even a client must say use_libuv=False."""
    if "use_libuv" not in _CONSTRUCTOR:
        return False
    try:
        dist.TCPStore("127.0.0.1", 0, None, True, timedelta(seconds=5), wait_for_workers=False,
                      use_libuv=True)
        return True
    except RuntimeError:
        return False


def backend_argument():
    return {"use_libuv": libuv_built_in()} if "use_libuv" in _CONSTRUCTOR else {}


def connect(endpoint, timeout=10.0, world_size=None, wait_for_workers=False, connect_timeout=10.0):
    """A client; `timeout` in seconds is that of its operations."""
    host, port = endpoint.rsplit(":", 1)
    store = dist.TCPStore(host, int(port), world_size, False, timedelta(seconds=connect_timeout),
                          wait_for_workers, **backend_argument())
    store.set_timeout(timedelta(seconds=timeout))
    return store


def serve():
    """Torch's own server, on a port it picks; on libuv where this build has it."""
    return dist.TCPStore("127.0.0.1", 0, None, True, timedelta(seconds=60), False,
                         **backend_argument())
