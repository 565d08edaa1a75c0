# SPDX-License-Identifier: GPL-2.0-or-later
"""Child processes that never outlive dxg.

Every child gets a session (and process group) of its own, so that a Ctrl-C at
the terminal reaches dxg alone and dxg ends the child in order; and the
parent-death signal, so that even a SIGKILL of dxg leaves no orphan.
"""

import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
# By what limits of waiting are multiplied: with sanitizers, or a kernel that
# looks for defects, all is slow.
SLOW = int(os.environ.get("DXG_SLOW", "1"))
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def spawn(argv, **kwargs):
    """Start ARGV as subprocess.Popen does, tied to this process's life."""
    return subprocess.Popen([str(arg) for arg in argv],
                            start_new_session=True,
                            preexec_fn=_die_with_parent, **kwargs)


def end(child, grace_s=2.0):
    """End CHILD and its group: SIGTERM, then after grace_s SIGKILL."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        try:
            child.wait(grace_s)
        except subprocess.TimeoutExpired:
            pass
    # The leader may be gone while members of its group still run.
    _signal(child, signal.SIGKILL)
    child.wait()


def end_all(children, grace_s=5.0):
    """End several as end() does, all of them asked at once."""
    for child in children:
        if child.poll() is None:
            _signal(child, signal.SIGTERM)
    until = time.monotonic() + grace_s
    for child in children:
        end(child, max(0.0, until - time.monotonic()))


def _signal(child, number):
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass


def logged(argv, log, tick=None, **kwargs):
    """Run ARGV with stdout and stderr appended to the open file LOG.

    Calls tick() a few times a second; returns the exit status.  An exception
    (a Ctrl-C) ends the child first.
    """
    log.write(("$ " + " ".join(str(arg) for arg in argv) + "\n").encode())
    log.flush()
    child = spawn(argv, stdin=subprocess.DEVNULL, stdout=log,
                  stderr=subprocess.STDOUT, **kwargs)
    try:
        while True:
            try:
                return child.wait(0.25)
            except subprocess.TimeoutExpired:
                if tick:
                    tick()
    finally:
        if child.returncode is None:
            end(child)


def output(argv, **kwargs):
    """stdout of a short command as text; raises CalledProcessError, OSError."""
    return subprocess.run([str(arg) for arg in argv], check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **kwargs).stdout


def alive(pid):
    """Whether process PID runs; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in b"ZX"
    except OSError:
        return False


def wait_gone(pid, limit_s):
    """Wait until PID is gone; False when it still runs after limit_s."""
    end_at = time.monotonic() + limit_s
    while alive(pid):
        if time.monotonic() > end_at:
            return False
        time.sleep(0.02)
    return True
