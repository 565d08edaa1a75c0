# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that go on from a saved machine: all that test_guest.py shows of those
that boot, and what is dangerous about the saving.

No driver of ours is used: these test the harness alone.
"""

import dataclasses
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import fakes
import test_guest
from dxglib import machine, paths, ready, testlist
from dxglib.errors import DxgError
from test_guest import BARE, DXG, ENV

# A machine that nobody else has.
WORD = f"dxg.test={os.getpid()}"
OWN = ("--append", WORD)
CONFIG = machine.Config(None, append=WORD)
DRAW = ("od -An -tx1 -N16 /dev/urandom; cat /proc/sys/kernel/random/uuid; "
        f"date +%s; echo $$; grep -o {WORD} /proc/cmdline")


def tearDownModule():
    shutil.rmtree(folder(), ignore_errors=True)


def restored(script, *options):
    return subprocess.Popen(
        [DXG, "exec", "--restore", *BARE, *OWN, *options, "--", "sh", "-c",
         script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=ENV)


def folder():
    return paths.READY / ready.key(CONFIG)


class Same(test_guest.Guest):
    options = ("--restore", *BARE)

    test_shell_reads_commands = None    # a shell boots


class Own(unittest.TestCase):
    def ended(self, child):
        """What CHILD printed."""
        out, err = child.communicate(timeout=300)
        self.assertEqual(child.returncode, 0, err)
        return out

    def test_guests_differ_in_what_must_differ(self):
        first = self.ended(restored(DRAW)).split("\n")
        second = self.ended(restored(DRAW)).split("\n")
        # The process number shows that both are the same machine.
        self.assertEqual(first[3:], second[3:])
        self.assertEqual(first[4], WORD)
        for one, other in zip(first[:2], second[:2]):
            self.assertTrue(one)
            self.assertNotEqual(one, other)
        self.assertLessEqual(int(first[2]), int(second[2]))
        self.assertLess(abs(time.time() - int(second[2])), 60)

    def test_two_at_once_save_one(self):
        with tempfile.TemporaryDirectory() as top:
            # As if nothing had been saved: the folder is there, but empty.
            state = folder() / "state"
            state.unlink(missing_ok=True)
            children = [restored("echo > /root/mine; ls /root",
                                 "--keep-console", f"{top}/{number}")
                        for number in range(2)]
            for child in children:
                self.assertEqual(self.ended(child), "mine\n")
            # Neither wrote into the memory they share.
            self.assertEqual(self.ended(restored("ls /root")), "")
            boots = [Path(f"{top}/{number}").read_bytes()
                     for number in range(2)]
        self.assertTrue(boots[0])
        self.assertEqual(boots[0], boots[1])

    def test_a_damaged_one_is_told_and_removed(self):
        self.ended(restored("true"))
        state = folder() / "state"
        state.write_bytes(state.read_bytes()[:state.stat().st_size // 2])
        child = restored("true")
        _, err = child.communicate(timeout=300)
        self.assertEqual(child.returncode, 3, err)
        self.assertIn(f"the saved machine {folder().name} could not be "
                      "loaded", err)
        self.assertIn("--no-restore", err)
        self.ended(restored("true"))

    def test_it_moves_as_others_do(self):
        out = self.ended(restored(
            "dxg-host snapshot > /tmp/said; cat /tmp/said; "
            "grep -q saved /tmp/said && dxg-host restore; "
            "dxg-host migrate > /tmp/migrate && md5sum /bin/busybox"))
        self.assertIn("restored", out)
        self.assertEqual(out.count("busybox"), 1)

    def test_what_never_says_that_it_may_be_saved(self):
        with tempfile.TemporaryDirectory() as top, \
                mock.patch.object(paths, "READY", Path(top)), \
                mock.patch.object(paths, "initramfs",
                                  return_value=Path(top, "none")):
            Path(top, "none").write_bytes(b"")
            with self.assertRaises(DxgError) as caught:
                ready.saved(CONFIG)
            self.assertIn("panic", str(caught.exception))
            self.assertFalse(list(Path(top).glob("*/state*")))


class Evidence(fakes.Case):
    def test_a_failure_leaves_the_console_from_the_boot_on(self):
        found, = self.outcomes(testlist.Test(
            "bad", ["guest"], [DXG, "exec", "--tap", "--drivers", "none", "--",
                               "sh", "-c", "echo '<6>seen-at-last' > "
                               "/dev/kmsg; exit 1"], {}, None, 300, True,
            restored=True))
        self.assertIn("--restore", (found.place / "command.txt").read_text())
        console = (found.place / "console.log").read_text(errors="replace")
        self.assertIn("seen-at-last", console)
        self.assertIn("virtio-pci", console)
        self.assertIn("dxgpu_realize",
                      (found.place / "trace.log").read_text())


class Key(unittest.TestCase):
    def test_whatever_a_machine_is_made_of_makes_it_another(self):
        config = machine.Config("slots=4")
        keys = [ready.key(config)]
        for change in ({"device": "slots=2"}, {"device": None}, {"cpus": 1},
                       {"memory_mb": 256}, {"append": "x"}, {"iommu": True},
                       {"extra": ("-device", "pci-testdev")}):
            keys.append(ready.key(dataclasses.replace(config, **change)))
        with mock.patch.dict(os.environ, DXG_QEMU="qemu-sanitize"):
            keys.append(ready.key(config))
        with tempfile.NamedTemporaryFile() as image, \
                mock.patch.object(paths, "initramfs",
                                  return_value=Path(image.name)):
            keys.append(ready.key(config))
            os.utime(image.name, (1, 1))
            keys.append(ready.key(config))
        self.assertEqual(len(set(keys)), len(keys))

    def test_a_trace_does_not(self):
        config = machine.Config("slots=4")
        traced = dataclasses.replace(config, trace=("-trace", "dxgpu_*"))
        self.assertEqual(ready.key(config), ready.key(traced))


class Folders(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        patch = mock.patch.object(paths, "READY", Path(place.name))
        patch.start()
        self.addCleanup(patch.stop)

    def put(self, count):
        """COUNT saved machines, the first used longest ago."""
        found = [paths.READY / f"{number:02}" for number in range(count)]
        for number, made in enumerate(found):
            made.mkdir()
            (made / "state").touch()
            os.utime(made, (number, number))
        return found

    def test_the_unused_go_first_but_not_one_in_use(self):
        made = self.put(ready.KEPT + 3)
        lock = os.open(made[0], os.O_RDONLY)
        self.addCleanup(os.close, lock)
        ready.fcntl.flock(lock, ready.fcntl.LOCK_SH)
        ready.prune()
        self.assertEqual(sorted(paths.READY.iterdir()), made[:1] + made[3:])
