"""Makes use_libuv=False the default of TCPStore, for builds of torch that have no libuv.

Torchelastic (and env:// with the agent's store) open their stores without saying use_libuv, whose
default is True; in a build without libuv, such as Debian's, each of them then fails, also against
torch's own server. Nothing else is changed. On the PYTHONPATH of the checks that need it only.
"""

import torch.distributed as dist

_original = dist.TCPStore.__init__


def _without_libuv(self, *positional, **named):
    named.setdefault("use_libuv", False)
    _original(self, *positional, **named)


if "use_libuv" in (_original.__doc__ or ""):
    dist.TCPStore.__init__ = _without_libuv
