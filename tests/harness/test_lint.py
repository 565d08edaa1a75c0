# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg lint` finds a defect of each kind, planted in a repository made up here.

And a check that could not check anything is no pass.
"""

import argparse
import contextlib
import io
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from dxglib import errors, kernel, lint, paths, proc, tools

SPDX_C = "// SPDX-License-Identifier: GPL-2.0\n"
SPDX_H = "/* SPDX-License-Identifier: GPL-2.0 */\n"
GOOD_C = "int number(void)\n{\n\treturn 1;\n}\n"
MODULE = """\
#include <linux/module.h>
#include <linux/uaccess.h>
{code}
static int __init begin(void)
{{
\treturn 0;
}}
module_init(begin);
MODULE_LICENSE("GPL");
"""


class Case(unittest.TestCase):
    """A test case with an empty repository in place of ours."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.put(paths, "REPO", self.top)
        self.put(lint, "LINT", self.top / "build/lint")

    def put(self, owner, name, value):
        patch = mock.patch.object(owner, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def file(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def program(self, name, text):
        path = self.file(name, text)
        path.chmod(0o755)
        return path

    def finds(self, findings, *texts):
        """Exactly one finding that has all TEXTS."""
        self.assertEqual(len(findings), 1, findings)
        for text in texts:
            self.assertIn(text, findings[0])

    def fails(self, findings, *texts):
        """Findings, one of which has all TEXTS."""
        self.assertTrue(any(all(text in line for text in texts)
                            for line in findings), findings)


class Checkpatch(Case):
    def test_kernel(self):
        for folder in lint.IGNORED:
            with self.subTest(folder):
                self.file(f"{folder}/good.c", SPDX_C + GOOD_C)
                self.assertEqual(lint.checkpatch(folder), [])
                bad = self.file(f"{folder}/sub/bad.c",
                                SPDX_C + GOOD_C.replace("\treturn", "   return"))
                self.fails(lint.checkpatch(folder),
                           f"{folder}/sub/bad.c:4:", "LEADING_SPACE")
                bad.unlink()
                self.file(f"{folder}/bare.h", "extern int number(void);\n")
                self.fails(lint.checkpatch(folder), f"{folder}/bare.h:1:",
                           "SPDX_LICENSE_TAG")

    def test_strict(self):
        self.file("guest-driver/a.c", SPDX_C + GOOD_C.replace(
            "return 1;", "return 1+1;"))
        self.finds(lint.checkpatch("guest-driver"), "CHECK:SPACING")

    def test_what_is_ignored_elsewhere_counts_here(self):
        self.file("guest-driver/a.c", SPDX_C + GOOD_C.replace(
            "return 1;", "volatile int i = 1;\n\n\treturn i;"))
        self.fails(lint.checkpatch("guest-driver"), "VOLATILE")

    def test_qemu(self):
        spdx = "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
        self.file("hw/dxgpu/good.c", spdx + GOOD_C.replace("\t", "    "))
        self.assertEqual(lint.qemu_checkpatch(), [])
        self.file("hw/dxgpu/bad.c", spdx + GOOD_C)
        self.finds(lint.qemu_checkpatch(), "hw/dxgpu/bad.c:4:", "tabs")

    def test_no_sources(self):
        (self.top / "guest-lib").mkdir()
        self.assertEqual(lint.checkpatch("guest-lib"), ["no sources to check"])
        self.assertEqual(lint.qemu_checkpatch(), ["no sources to check"])


class Ignored(unittest.TestCase):
    """What a list of exceptions holds without need hides the next one."""

    def test_each_is_needed(self):
        for folder, kinds in lint.IGNORED.items():
            with (self.subTest(folder),
                  mock.patch.dict(lint.IGNORED, {folder: {"NONE": ""}})):
                found = {lint._COMPLAINT.match(line)[3]
                         for line in lint.checkpatch(folder)}
                self.assertEqual(set(kinds) - found, set())


class CheckpatchCannotRun(Case):
    """Whatever keeps Perl from its work is a failure, told with the reason."""

    def setUp(self):
        super().setUp()
        self.file("guest-lib/good.c", SPDX_C + GOOD_C)
        self.file("guest-lib/more.c", SPDX_C + GOOD_C)
        self.file("hw/dxgpu/good.c", SPDX_C + GOOD_C.replace("\t", "    "))

    def both(self, text):
        """The findings of the kernel's and of QEMU's, being TEXT."""
        self.put(tools, "CHECKPATCH", self.program("checkpatch.pl", text))
        self.put(paths, "QEMU_SRC", self.top / "qemu")
        self.program("qemu/scripts/checkpatch.pl", text)
        return lint.checkpatch("guest-lib"), lint.qemu_checkpatch()

    def test_no_perl(self):
        for found in self.both("#!/nonexistent/perl -w\n"):
            self.finds(found, "cannot run", "No such file or directory")

    def test_no_script(self):
        self.put(tools, "CHECKPATCH", self.top / "absent.pl")
        self.finds(lint.checkpatch("guest-lib"), "cannot run", "absent.pl")

    def test_syntax_error(self):
        for found in self.both("#!/usr/bin/perl -w\nuse strict;\nsub {\n"):
            self.fails(found, "has not checked", "exit status 255")
            self.fails(found, "Missing right curly")

    def test_silent_success(self):
        for found in self.both("#!/bin/sh\nexit 0\n"):
            self.finds(found, "exit status 0", "has not checked")

    def test_death_on_the_way(self):
        found, _ = self.both(
            "#!/bin/sh\necho guest-lib/good.c total: 0 errors\nkill -9 $$\n")
        self.fails(found, "exit status -9", "1 of 2 files",
                   "first guest-lib/more.c")


class Modules(Case):
    """The compiler with W=1, and sparse; one small module for each."""

    def findings(self, code, **more):
        self.file("module/Kbuild", "obj-m := planted.o\n")
        self.file("module/planted.c", SPDX_C + MODULE.format(code=code))
        (self.top / "hw/include").mkdir(parents=True, exist_ok=True)
        self.put(paths, "HW_INCLUDE", self.top / "hw/include")
        return lint.module_findings(
            kernel.DEFAULT, {"": self.top / "module"}, **more)

    def test_clean(self):
        self.assertEqual(self.findings(""), [])

    def test_warning_of_the_compiler(self):
        self.fails(self.findings("int loose(void)\n{\n\treturn 0;\n}\n"),
                   "planted.c:4:", "-Werror=missing-prototypes")

    def test_sparse(self):
        self.fails(self.findings(
            "static int peek(int __user *p)\n{\n\treturn *p;\n}\n"
            "static int (*use)(int __user *p) __used = peek;\n"),
            "planted.c:6:", "dereference of noderef")

    def test_no_sparse(self):
        folder = self.top / "bin"
        folder.mkdir()
        for place in ("/usr/bin", "/usr/sbin"):
            for program in Path(place).iterdir():
                target = folder / program.name
                if program.name != "sparse" and not target.is_symlink():
                    target.symlink_to(program)
        with mock.patch.dict(os.environ, PATH=str(folder)):
            self.fails(self.findings(""), "sparse")

    def test_no_headers(self):
        with mock.patch.object(paths, "kernel",
                               return_value=self.top / "nothing"):
            self.assertTrue(self.findings(""))


class Seams(Case):
    PLANTED = (
        ("hw/dxgpu/core/a.c", '#include "qemu/osdep.h"'),
        ("hw/include/dxgpu/a.h", "#include <stdio.h>"),
        ("guest-driver/dxgpu/a.c", '#include "../dxgkrnl/dxgkrnl.h"'),
        ("guest-driver/dxgpu/b.c", '#include "uapi/dxg.h"'),
        ("guest-driver/dxgnull/a.c", '#include "dxgpu/regs.h"'),
        ("guest-driver/dxgkrnl/a.c", "\twritel(1, base);"),
        ("guest-driver/dxgkrnl/b.c", '#include "dxgpu/regs.h"'),
    )

    def test_each(self):
        for name, line in self.PLANTED:
            with self.subTest(name):
                path = self.file(name, f"{SPDX_C}\n{line}\n")
                self.finds(lint.seams(self.top), f"{name}:3: {line.strip()}: ")
                path.unlink()

    def test_every_rule_has_its_defect(self):
        for folder, *_ in lint.SEAMS:
            self.assertTrue(any(name.startswith(f"{folder}/")
                                for name, _ in self.PLANTED), folder)

    def test_a_header_beside_is_allowed(self):
        self.file("guest-driver/dxgpu/dxgkrnl.h", SPDX_H)
        self.file("guest-driver/dxgpu/a.c", '#include "dxgkrnl.h"\n')
        self.assertEqual(lint.seams(self.top), [])


class Tracked(Case):
    """Checks of what git has: licence lines and the syntax of scripts."""

    def setUp(self):
        super().setUp()
        subprocess.run(["git", "init", "-q", self.top], check=True)

    def add(self, name, text):
        path = self.file(name, text)
        subprocess.run(["git", "-C", self.top, "add", "-A"], check=True)
        return path

    def test_licences(self):
        for name in ("a.c", "b.h", "c.py", "d.sh", "e.S", "sub/meson.build",
                     "Kbuild", "Kconfig"):
            with self.subTest(name):
                path = self.add(name, "# SPDX-License-Identifier: MIT\n")
                self.assertEqual(lint.licences(), [])
                self.add(name, "#\n" * 3 + "# SPDX-License-Identifier: MIT\n")
                self.finds(lint.licences(), f"{name}: no SPDX line")
                path.unlink()
        self.file("untracked.c", "")
        self.assertEqual(lint.licences(), [])

    def test_syntax(self):
        for name, good, bad in (
                ("a.py", "x = 1\n", "x = = 1\n"),
                ("program", "#!/usr/bin/python3\nx = 1\n",
                 "#!/usr/bin/python3\ndef f(:\n"),
                ("script", "#!/bin/sh\ntrue\n", "#!/bin/sh\nif true\n"),
                ("other", "#!/usr/bin/env bash\nx=(1)\n",
                 "#!/usr/bin/env bash\nx=(1\n")):
            with self.subTest(name):
                path = self.add(name, good)
                self.assertEqual(lint.syntax(), [])
                self.add(name, bad)
                self.fails(lint.syntax(), name)
                path.unlink()

    def test_no_repository(self):
        with (mock.patch.object(proc, "output",
                                side_effect=FileNotFoundError("git")),
              self.assertRaisesRegex(errors.SetupError, "git ls-files")):
            lint.licences()


class Command(Case):
    """What the findings become: lines, TAP, the exit code."""

    def lint(self, tap, **found):
        for name in ("ensure", "module_findings", "checkpatch",
                     "qemu_checkpatch", "seams", "licences", "syntax"):
            self.put(lint, name, mock.Mock(return_value=found.get(name, [])))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = lint._lint(argparse.Namespace(tap=tap))
        return code, said.getvalue().splitlines()

    def test_nothing_found(self):
        code, lines = self.lint(True)
        self.assertEqual(code, 0)
        self.assertEqual(lines[0], f"1..{len(lines) - 1}")
        self.assertFalse([line for line in lines if "not ok" in line])

    def test_each_finding_fails(self):
        for name in ("module_findings", "checkpatch", "qemu_checkpatch",
                     "seams", "licences", "syntax"):
            with self.subTest(name):
                code, lines = self.lint(True, **{name: ["x.c:1: bad"]})
                self.assertEqual(code, 1)
                self.assertIn("# x.c:1: bad", lines)
                self.assertTrue([line for line in lines
                                 if line.startswith("not ok ")])
                code, lines = self.lint(False, **{name: ["x.c:1: bad"]})
                self.assertEqual(code, 1)
                self.assertTrue([line for line in lines
                                 if line.startswith("FAIL ")])
