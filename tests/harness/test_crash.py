# SPDX-License-Identifier: GPL-2.0-or-later
"""The device put into QEMU in every way that a user may try: it works there or
is refused with a message, and nothing crashes, hangs or leaks.

QEMU's own scripts/device-crash-test does it for each kind of machine; it cannot
give a device properties or a bus, so what is below does that.  On a QEMU with
sanitizers (DXG_QEMU) a refusal that leaves something behind fails, too.
"""

import os
import socket
import subprocess
import sys
import time
import unittest

from dxglib import paths, proc, qemu
from dxglib.qmp import Qmp, QmpError

LIMIT_S = 60 * proc.SLOW
MACHINES = ("q35", "pc", "microvm", "isapc", "none")
BUSES = ("-device", "pcie-root-port,id=rp0,chassis=1,slot=1",
         "-device", "pcie-root-port,id=rp1,chassis=2,slot=2",
         "-device", "pcie-pci-bridge,id=conventional,bus=pcie.0,addr=8")
VALUES = (-2**63, -1, 0, 1, 3, 7, 9, 2**16, 2**20, 2**31, 2**32 - 1, 2**32,
          2**63, 2**64 - 1, 2**64, 1.5, True, None, "", "x", "1" * 5000,
          "%s%n", [], {})


class Qemu:
    """A machine that stands, and its QMP."""

    def __init__(self, *arguments, machine="q35"):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self.process = proc.spawn(
                [qemu.chosen().binary, "-nodefaults", "-display", "none", "-S",
                 "-L", paths.FIRMWARE, "-machine", machine, "-accel", "tcg",
                 "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
                 "-mon", "chardev=qmp,mode=control", *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
        self.socket = ours

    def end(self):
        """Wait for its end; (exit status, what it said)."""
        try:
            _, said = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            proc.end(self.process)
            return "hang", ""
        finally:
            self.socket.close()
        return self.process.returncode, said.decode(errors="replace").strip()


class Crash(unittest.TestCase):
    def started(self, *arguments, machine="q35"):
        """(exit status, what was said) of a QEMU that is told to quit."""
        vm = Qemu(*arguments, machine=machine)
        try:
            Qmp(vm.socket).request("quit")
        except QmpError:
            pass        # the exit status tells more
        return vm.end()

    def works(self, *arguments, machine="q35"):
        self.assertEqual(self.started(*arguments, machine=machine), (0, ""))

    def refused(self, *arguments, naming, machine="q35"):
        status, said = self.started(*arguments, machine=machine)
        self.assertEqual(status, 1, said)
        self.assertIn(naming, said)

    def test_machines(self):
        """QEMU's own script, on each kind of machine."""
        script = paths.QEMU_SRC / "scripts/device-crash-test"
        env = {**os.environ, "PYTHONPATH": str(paths.QEMU_SRC / "python")}
        for machine in MACHINES:
            with self.subTest(machine):
                child = proc.spawn(
                    [sys.executable, script, "-F", "--tcg-only",
                     "-t", "device=dxgpu", f"machine={machine}", "--",
                     qemu.chosen().binary],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, env=env)
                try:
                    said, _ = child.communicate(timeout=2 * LIMIT_S)
                finally:
                    proc.end(child)
                said = said.decode(errors="replace")
                self.assertEqual(child.returncode, 0, said)
                self.assertIn("Total: 1 test cases", said)

    def test_places(self):
        self.works("-device", "dxgpu")
        self.works("-device", "dxgpu,bus=pcie.0,addr=5")
        self.works(*BUSES, "-device", "dxgpu,bus=rp0",
                   "-device", "dxgpu,bus=rp1")
        self.works(*(["-device", "dxgpu"] * 8))
        self.works("-device", "dxgpu", machine="pc")
        self.works(*BUSES, "-device", "dxgpu,bus=conventional,addr=3")
        self.works("-device", "dxgpu,addr=6.0,multifunction=on",
                   "-device", "dxgpu,addr=6.7")

    def test_no_places(self):
        self.refused("-device", "dxgpu", machine="none", naming="bus")
        self.refused("-device", "dxgpu,bus=absent", naming="absent")
        self.refused(*BUSES, "-device", "dxgpu,bus=rp0,addr=0",
                     "-device", "dxgpu,bus=rp0,addr=0,id=two", naming="two")
        self.refused("-device", "dxgpu,addr=5", "-device", "dxgpu,addr=5",
                     naming="5")
        self.refused("-device", "dxgpu,addr=33", naming="addr")
        self.refused("-device", "dxgpu,id=twice", "-device",
                     "dxgpu,id=twice,addr=7", naming="twice")
        self.refused("-device", "dxgpu,absent=1", naming="absent")
        self.refused("-device", "dxgpu,romfile=/nonexistent",
                     naming="/nonexistent")

    def test_values(self):
        """Any value for any property; what is made is taken out again."""
        vm = Qemu(*BUSES)
        qmp = Qmp(vm.socket)
        names = [row["name"] for row in qmp.request(
            "device-list-properties", typename="dxgpu")]
        self.assertIn("slots", names)
        made = refused = 0
        for name in names:
            for value in VALUES:
                try:
                    qmp.request("device_add", driver="dxgpu", id="it",
                                bus="rp0", **{name: value})
                except QmpError as error:
                    refused += 1
                    last = str(error)
                    self.assertNotIn("no answer", last)
                else:
                    made += 1
                    self.remove(qmp)
        qmp.request("device_add", driver="dxgpu", bus="rp1")
        qmp.request("quit")
        status, said = vm.end()
        self.assertEqual(status, 0, said)
        print(f"# {len(names)} properties, {len(VALUES)} values: {made} "
              f"devices made, {refused} refused, last: {last}", flush=True)
        self.assertGreater(made, len(names))
        self.assertGreater(refused, len(names))

    def remove(self, qmp):
        """Nobody in the guest lets it go, but a reset does."""
        qmp.request("device_del", id="it")
        qmp.request("system_reset")
        limit = time.monotonic() + LIMIT_S
        while not qmp.event("DEVICE_DELETED", device="it"):
            self.assertLess(time.monotonic(), limit)
            qmp.request("query-status")
