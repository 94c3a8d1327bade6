"""What every check file shares: one line a check, and a deadline on each.

A blocking call of torch cannot be interrupted from Python, so each check runs in a thread that is
left behind when its deadline passes; `finish()` leaves the process without waiting for those.
"""

import os
import sys
import threading
import time
import traceback

_failures = 0
_torch = os.environ.get("ROLLCALL_TORCH", "no-torch")


def _first_line(text):
    lines = str(text).strip().splitlines()
    return lines[0][:300] if lines else ""


def line(status, group, where, name, detail=""):
    """Prints a result. `run` reads these tab-separated lines; nothing else may start this way."""
    global _failures
    if status == "FAIL":
        _failures += 1
    print("\t".join(["@" + status, _torch, group, where, name, _first_line(detail)]), flush=True)


def note(group, where, name, detail):
    """Something worth knowing about this torch that is neither right nor wrong."""
    line("note", group, where, name, detail)


def check(group, where, name, body, deadline=20):
    """Runs body() and prints ok or FAIL. Returns whether it passed; body may return a detail."""
    outcome = {}

    def call():
        try:
            outcome["detail"] = body() or ""
        except BaseException as error:  # pylint: disable=broad-except
            where_at = traceback.extract_tb(error.__traceback__)[-1]
            if isinstance(error, AssertionError):
                outcome["error"] = _first_line(error)
            else:
                outcome["error"] = "%s: %s" % (type(error).__name__, _first_line(error))
            outcome["error"] += " (%s:%d)" % (os.path.basename(where_at.filename), where_at.lineno)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(deadline)
    if thread.is_alive():
        line("FAIL", group, where, name, "still not done after %d s" % deadline)
        return False
    if "error" in outcome:
        line("FAIL", group, where, name, outcome["error"])
        return False
    line("ok", group, where, name, outcome["detail"])
    return True


def equal(actual, expected, what=""):
    """Asserts equality and shows both values when it does not hold."""
    assert actual == expected, "%s%r, expected %r" % (what + " is " if what else "", actual, expected)


def raises(body, *fragments, kinds=(Exception,), within=None):
    """Asserts that body() raises one of `kinds` with one of `fragments` in its text; returns it."""
    began = time.monotonic()
    try:
        value = body()
    except kinds as error:  # pylint: disable=broad-except
        took = time.monotonic() - began
        text = str(error)
        assert not fragments or any(f in text for f in fragments), \
            "%s says %r, expected one of %r" % (type(error).__name__, _first_line(text), fragments)
        assert within is None or took <= within, "raised only after %.1f s" % took
        return error
    raise AssertionError("no error, but the value %r" % (value,))


def finish():
    """Ends the process now, whatever threads still hang: 0 when no check failed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if _failures else 0)
