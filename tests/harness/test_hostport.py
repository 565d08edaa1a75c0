# SPDX-License-Identifier: GPL-2.0-or-later
"""The side channel: its verbs, its bounds, and a guest that misuses it."""

import time
import unittest

from dxglib import hostport
from dxglib.hostport import LINE_MAX, HostPort
from dxglib.moves import Move
from dxglib.qmp import QmpError
from dxglib.tasks import Tasks


class FakeQmp:
    def __init__(self):
        self.requests = []
        self.events = []
        self.said = "OK id: dxg0\r\n"

    def request(self, command, **arguments):
        self.requests.append((command, arguments))
        if command == "qom-list":
            return [{"name": "inject-number", "type": "uint32"},
                    {"name": "inject-bool", "type": "bool"},
                    {"name": "inject-text", "type": "string"}]
        if arguments.get("value") == 13:
            raise QmpError("qom-set: 13 is\nunlucky")
        return self.said

    def property(self, path, name):
        if name != "stats":
            raise QmpError(f"qom-get: Property '{name}' not found")
        return {"binds": 7, "faults": 0}

    def event(self, name, **data):
        if (name, data) in self.events:
            self.events.remove((name, data))
            return {"event": name}
        return None


class FakeMover:
    """Each move is the task that says its name."""

    @staticmethod
    def _move(kind):
        yield 0
        return Move(kind, 1.5, 0.25, 84.2, 7)

    def migrate(self):
        return self._move("migrate")

    def save(self):
        return self._move("save")

    def savevm(self):
        return self._move("savevm")

    def back(self):
        return self._move("restore")


class FakeMachine:
    def __init__(self):
        self.qmp = FakeQmp()
        self.plugged = True
        self.woken = 0

    def wake(self):
        self.woken += 1

    def plug(self, bus):
        self.plugged = True
        self.bus = bus


class Verbs(unittest.TestCase):
    def setUp(self):
        self.machine = FakeMachine()
        self.tasks = Tasks()
        self.sent = []
        self.moves = []
        self.port = HostPort(self.machine, self.tasks, self.moved, FakeMover(),
                             self.sent.append)

    def moved(self, task):
        move = yield from task
        self.moves.append(move.kind)
        return move

    def ask(self, data):
        self.sent.clear()
        self.port.feed(data if isinstance(data, bytes) else data.encode())
        self.tasks.advance()
        return b"".join(self.sent).decode()

    def test_get(self):
        self.assertEqual(self.ask("t get stats.binds\n"), "t ok 7\n")
        self.assertEqual(self.ask("t get stats\n"),
                         't ok {"binds": 7, "faults": 0}\n')
        self.assertEqual(self.ask("t get stats.x\n"),
                         "t error stats has no member 'x'\n")
        self.assertEqual(self.ask("t get other\n"),
                         "t error qom-get: Property 'other' not found\n")
        self.assertIn("no property's name", self.ask("t get ../x\n"))
        self.assertIn("no property's name", self.ask("t get\n"))

    def test_set_is_typed(self):
        for text, value in (("inject-number 0x10", 16),
                            ("inject-bool on", True), ("inject-bool 0", False),
                            ("inject-text a b", "a b")):
            with self.subTest(text):
                self.assertEqual(self.ask(f"t set {text}\n"), "t ok\n")
                command, arguments = self.machine.qmp.requests[-1]
                self.assertEqual(command, "qom-set")
                self.assertEqual(arguments["value"], value)
                self.assertIs(type(arguments["value"]), type(value))

    def test_set_refuses(self):
        for text, part in (("inject-number x", "'x' is no uint32"),
                           ("inject-bool perhaps", "'perhaps' is no bool"),
                           ("inject-none 1", "no property 'inject-none'"),
                           ("slots 1", "slots may not be set"),
                           ("stats 1", "begins with inject-"),
                           ("inject-number 13", "13 is unlucky")):
            with self.subTest(text):
                answer = self.ask(f"t set {text}\n")
                self.assertTrue(answer.startswith("t error "), answer)
                self.assertIn(part, answer)

    def test_unknown_verb_names_the_known(self):
        answer = self.ask("t quit\n")
        self.assertIn("no verb 'quit'", answer)
        for verb in ("get", "set", "unplug", "plug", "aer"):
            self.assertIn(verb, answer)
        self.assertEqual(self.machine.qmp.requests, [])

    def test_unplug_waits_for_the_guest(self):
        self.assertEqual(self.ask("t unplug\n"), "")
        self.assertEqual(self.port.room(), 0)
        self.machine.qmp.events.append(("DEVICE_DELETED", {"device": "dxg0"}))
        self.tasks.advance()
        self.assertEqual(self.sent, [b"t ok\n"])
        self.assertFalse(self.machine.plugged)
        self.assertGreater(self.port.room(), 0)
        self.assertEqual(self.ask("t plug\n"), "t ok\n")
        self.assertEqual(self.machine.bus, "rp0")
        self.assertEqual(self.ask("t plug\n"),
                         "t error the device is plugged in\n")

    def test_plug_names_a_port(self):
        self.machine.plugged = False
        self.assertIn("a port's name", self.ask("t plug rp0,slots=1\n"))
        self.assertIn("a port's name", self.ask("t plug pcie.0\n"))
        self.assertFalse(self.machine.plugged)
        self.assertEqual(self.ask("t plug rp1\n"), "t ok\n")
        self.assertEqual(self.machine.bus, "rp1")

    def test_unplug_that_the_guest_ignores(self):
        before = hostport.UNPLUG_LIMIT_S
        self.addCleanup(setattr, hostport, "UNPLUG_LIMIT_S", before)
        hostport.UNPLUG_LIMIT_S = 0.05
        self.assertEqual(self.ask("t unplug\n"), "")
        time.sleep(0.06)
        self.tasks.advance()
        self.assertEqual(self.sent, [b"t error the guest has not released "
                                     b"the device in 0.05 s\n"])
        self.assertEqual(self.ask("t ping\n"), "t ok\n")

    def test_migrate(self):
        self.assertEqual(self.ask("t migrate\n"), "")
        self.tasks.advance()
        self.assertEqual(self.sent, [b"t ok 1500 250 84.2 7\n"])
        self.assertIn("takes no argument", self.ask("t migrate now\n"))

    def test_a_restored_snapshot_answers_its_asker(self):
        self.ask("a snapshot\n")
        mark = self.port.mark()
        self.tasks.advance()
        self.assertEqual(self.sent, [b"a ok saved 1500 250 84.2 7\n"])
        self.ask("b restore\nlost")
        self.port.rewind(mark)
        self.tasks.advance()
        self.assertEqual(self.sent, [b"a ok restored 1500 250 84.2 7\n"])
        self.assertEqual(self.ask("c ping\n"), "c ok\n")
        self.ask("d snapshot vm\n")
        self.tasks.advance()
        self.assertEqual(self.moves, ["save", "restore", "savevm"])
        self.assertIn("vm or nothing", self.ask("t snapshot x\n"))

    def test_aer_takes_one_word(self):
        self.assertEqual(self.ask("t aer COMPLETION_TIMEOUT\n"), "t ok\n")
        self.assertEqual(
            self.machine.qmp.requests[-1][1],
            {"command-line": "pcie_aer_inject_error dxg0 COMPLETION_TIMEOUT"})
        count = len(self.machine.qmp.requests)
        for text in ("", "X Y", "x;quit", "0x1 -c", "\r"):
            self.assertIn("t error", self.ask(f"t aer {text}\n"))
        self.assertEqual(len(self.machine.qmp.requests), count)
        self.machine.qmp.said = "unknown error"
        self.assertEqual(self.ask("t aer NONE\n"), "t error unknown error\n")

    def test_wake_goes_on_until_the_next_request(self):
        self.assertEqual(self.ask("t wake 20\n"), "t ok\n")
        self.tasks.advance()
        self.assertEqual(self.machine.woken, 0)
        time.sleep(0.03)
        self.tasks.advance()
        self.assertEqual(self.machine.woken, 1)
        self.assertEqual(self.ask("t ping\n"), "t ok\n")
        self.assertFalse(self.tasks.busy())
        for text in ("", "19", "10001", "-1", "x", "20 30"):
            self.assertIn("milliseconds, 20..10000", self.ask(f"t wake {text}\n"))
            self.assertFalse(self.tasks.busy())

    def test_one_at_a_time_in_order(self):
        self.assertEqual(self.ask("a unplug\nb ping\nc ping\nd pi"), "")
        self.machine.qmp.events.append(("DEVICE_DELETED", {"device": "dxg0"}))
        self.tasks.advance()
        self.assertEqual(self.sent, [b"a ok\n", b"b ok\n", b"c ok\n"])
        self.assertEqual(self.ask("ng\n"), "d ok\n")

    def test_bad_lines(self):
        for line in ("\n", " \n", "word\n", "\x00\n"):
            self.assertIn("error a line is TAG VERB", self.ask(line))
        self.assertIn("error no verb", self.ask(b"t \xff\xfe\n"))
        self.assertEqual(self.ask("t ping now\n"),
                         "t error ping takes no argument, not 'now'\n")

    def test_long_lines_are_dropped(self):
        answer = self.ask("x" * (LINE_MAX + 1))
        self.assertIn(f"more than {LINE_MAX} bytes", answer)
        self.assertEqual(self.ask("x" * 5 * LINE_MAX), "")
        self.assertEqual(self.ask("x\n"), "")
        self.assertEqual(self.ask("t ping\n"), "t ok\n")
        self.assertIn(f"more than {LINE_MAX} bytes",
                      self.ask("t " + "x" * LINE_MAX + "\n"))
        self.assertEqual(self.ask("t ping\n"), "t ok\n")
