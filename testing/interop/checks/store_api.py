"""Every method of torch's Python store against a server, values compared.

  store_api.py LABEL=HOST:PORT...
"""

import sys
import threading
from datetime import timedelta

import torch.distributed as dist

import report
import torch_client
from report import equal, raises
from torch_client import connect

GROUP = "api"


def in_threads(*bodies):
    """Runs the bodies at once; returns their results, or raises the first error."""
    results, errors = [None] * len(bodies), []

    def run(index, body):
        try:
            results[index] = body()
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=run, args=b, daemon=True) for b in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive(), "a member still blocked after 15 s"
    if errors:
        raise errors[0]
    return results


def settle(store):
    """Torch's set, append and push get no answer; after a question everything before it is done,
    which another connection could not rely on otherwise."""
    store.num_keys()


class StoreApi:
    """The checks, named as the methods are. `a` and `b` are two clients of one server."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.a = connect(endpoint)
        self.b = connect(endpoint)

    def check_set_get(self):
        for key, value in (("text", "value"), ("", "value of the empty key"), ("empty", ""),
                           ("schlüssel", "wert"), ("long/" + "k" * 4000, "v"),
                           ("bytes", bytes(range(256))), ("big", b"x" * (1 << 20))):
            self.a.set(key, value)
            equal(self.b.get(key), value.encode() if isinstance(value, str) else value, key[:20])
        self.a.set("text", "again")
        settle(self.a)
        equal(self.b.get("text"), b"again")

    def check_get_blocks_until_set(self):
        got, _ = in_threads(lambda: self.a.get("late"), lambda: self.b.set("late", "here"))
        equal(got, b"here")

    def check_add(self):
        equal([self.a.add("n", i) for i in (1, 2, 3)], [1, 3, 6])
        equal(self.b.add("n", -10), -4)
        equal(self.b.get("n"), b"-4")
        equal(self.a.add("zero", 0), 0)
        equal(self.b.get("zero"), b"0")
        self.a.set("text number", "41")
        settle(self.a)
        equal(self.b.add("text number", 1), 42)
        equal(self.a.add("huge", 2**62), 2**62)

    def check_compare_set(self):
        equal(self.a.compare_set("cas", "expected", "new"), b"expected", "absent, expected given")
        equal(self.a.compare_set("cas", "", "first"), b"first", "absent, expected empty")
        equal(self.b.compare_set("cas", "wrong", "second"), b"first", "wrong expectation")
        equal(self.b.compare_set("cas", "first", "second"), b"second", "right expectation")
        equal(self.a.get("cas"), b"second")

    def check_check(self):
        self.a.set("there", "1")
        settle(self.a)
        equal([self.b.check(k) for k in (["there"], ["nowhere"], ["there", "nowhere"], [])],
              [True, False, False, True])

    def check_wait(self):
        self.a.set("w0", "0")
        self.b.wait(["w0"])
        self.b.wait(["w0"], timedelta(seconds=5))
        in_threads(lambda: self.b.wait(["w0", "w1", "w2"], timedelta(seconds=10)),
                   lambda: (self.a.set("w1", "1"), self.a.add("w2", 1)))

    def check_delete_key(self):
        self.a.set("gone", "1")
        settle(self.a)
        equal([self.b.delete_key("gone"), self.b.delete_key("gone")], [True, False])
        if torch_client.has("check"):
            equal(self.a.check(["gone"]), False)

    def check_num_keys(self):
        before = self.a.num_keys()
        self.a.set("counted 1", "1")
        self.a.set("counted 2", "2")
        self.a.set("counted 2", "3")
        self.a.delete_key("counted 1")
        equal(self.a.num_keys() - before, 1, "growth")
        equal(self.b.num_keys(), before + 1)

    def check_append(self):
        self.a.append("log", "one ")
        self.a.append("log", "two")
        settle(self.a)
        equal(self.b.get("log"), b"one two")

    def check_multi_set(self):
        self.a.multi_set(["m1", "m2", "m1"], ["1", "22", "last"])
        equal([self.a.get("m1"), self.a.get("m2")], [b"last", b"22"])

    def check_multi_get(self):
        keys = ["many/%d" % i for i in range(1000)]
        self.a.multi_set(keys, [k * 3 for k in keys])
        self.a.set("m empty", "")
        equal(self.a.multi_get(["m empty", keys[7], keys[7]]),
              [b"", keys[7].encode() * 3, keys[7].encode() * 3])
        equal(self.a.multi_get(keys), [k.encode() * 3 for k in keys])

    def check_has_extended_api(self):
        equal(self.a.has_extended_api(), True)

    def check_queue_push(self):
        self.a.queue_push("q", "1")
        self.a.queue_push("q", "2")
        settle(self.a)

    def check_queue_len(self):
        equal([self.b.queue_len("q"), self.b.queue_len("no q")], [2, 0])

    def check_queue_pop(self):
        equal([self.b.queue_pop("q"), self.b.queue_pop("q")], [b"1", b"2"])
        raises(lambda: self.b.queue_pop("q", False), "empty", kinds=(dist.QueueEmptyError,))
        got, _ = in_threads(lambda: self.b.queue_pop("q"), lambda: self.a.queue_push("q", "3"))
        equal(got, b"3")

    def check_list_keys(self):
        self.a.set("listed", "1")
        settle(self.a)
        keys = self.b.list_keys()
        assert "listed" in keys, "own key is missing among %d keys" % len(keys)
        assert not any(k.startswith("init/") for k in keys), "the join counter shows"
        equal(len(keys), len(set(keys)), "number of names")

    def check_barrier(self):
        ready = timedelta(seconds=10)
        third = connect(self.endpoint)
        in_threads(*[lambda s=s: s.barrier("meet", 3, ready) for s in (self.a, self.b, third)])
        equal(self.a.get("meet"), b"3", "the counter")

    def check_clone(self):
        copy = self.a.clone()
        copy.set("by the clone", "1")
        equal(copy.get("by the clone"), b"1")
        equal(self.a.get("by the clone"), b"1")
        in_threads(lambda: self.a.wait(["cloned"], timedelta(seconds=10)),
                   lambda: copy.set("cloned", "1"))

    def check_set_timeout(self):
        equal(self.a.timeout, timedelta(seconds=10))
        self.a.set_timeout(timedelta(seconds=7))
        equal(self.a.timeout, timedelta(seconds=7))
        self.a.set_timeout(timedelta(seconds=10))

    def check_timeout(self):
        equal(connect(self.endpoint, timeout=3.5).timeout, timedelta(seconds=3.5))

    def check_join_counter(self):
        """A client that names a world size counts itself under "init/", which users never see."""
        before = self.a.num_keys()
        joined = [connect(self.endpoint, world_size=2, wait_for_workers=True) for _ in range(2)]
        equal(self.a.num_keys() - before, 1, "growth")
        equal(joined[0].num_keys(), before + 1)

    def check_prefix_store(self):
        p, q = dist.PrefixStore("p", self.a), dist.PrefixStore("q", dist.PrefixStore("p", self.b))
        p.set("k", "v")
        equal([p.get("k"), self.b.get("p/k")], [b"v", b"v"])
        equal([q.add("n", 2), p.add("q/n", 1)], [2, 3])
        equal(p.compare_set("c", "", "x"), b"x")
        p.wait(["k", "c"])
        equal(p.num_keys(), self.b.num_keys())
        equal([p.delete_key("k"), p.delete_key("k")], [True, False])
        if torch_client.has("check"):
            equal([p.check(["c"]), p.check(["k"])], [True, False])
        if torch_client.has("append"):
            p.append("log", "1")
            q.multi_set(["a", "b"], ["1", "2"])
            equal([q.multi_get(["a", "b"]), p.get("q/b")], [[b"1", b"2"], b"2"])
        if torch_client.has("list_keys"):
            assert "c" in p.list_keys(), "p/c is not listed"
        if torch_client.has("clone"):
            equal(p.clone().get("c"), b"x")
        if torch_client.has("barrier"):
            in_threads(lambda: p.barrier("meet", 2),
                       lambda: dist.PrefixStore("p", self.b).barrier("meet", 2))


def names():
    """The checks for what this torch has, in the order they build on each other."""
    methods = [m for m in torch_client.METHODS if m not in ("set", "get") and torch_client.has(m)]
    if not torch_client.libuv_built_in():
        # Such a build's client refuses queues before it sends anything, whatever the server has.
        methods = [m for m in methods if not m.startswith("queue_")]
    return ["set_get", "get_blocks_until_set"] + methods + ["join_counter", "prefix_store"]


def main():
    for argument in sys.argv[1:]:
        label, endpoint = argument.split("=", 1)
        if not report.check(GROUP, label, "connect", lambda e=endpoint: connect(e) and None):
            continue
        checks = StoreApi(endpoint)
        for name in names():
            report.check(GROUP, label, name, getattr(checks, "check_" + name), deadline=30)
    report.finish()


main()
