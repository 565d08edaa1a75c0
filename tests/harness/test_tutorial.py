# SPDX-License-Identifier: GPL-2.0-or-later
"""The tutorial's commands, as they stand: a copy of dxgnull builds and works.

They run in a folder that has the repository's entries as links, so that the copy
lies in none of its own.
"""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from dxglib import kernel, modules, paths

TUTORIAL = paths.REPO / "docs/tutorials/write-your-own-miniport.md"


def commands(title):
    """The commands of the section whose heading begins with TITLE."""
    text = TUTORIAL.read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(title)}$(.*?)^## ", text,
                        re.MULTILINE | re.DOTALL).group(1)
    return [line[4:] for line in section.splitlines()
            if line.startswith("    ")]


class Tutorial(unittest.TestCase):
    def test_copy_it(self):
        if "dxgkrnl" not in modules.built(kernel.DEFAULT):
            self.skipTest("the modules are not built")
        # Set-up is the caller's.
        lines = [line for line in commands("2. Copy it")
                 if not line.startswith("scripts/dxg setup")]
        with tempfile.TemporaryDirectory() as folder:
            for entry in paths.REPO.iterdir():
                (Path(folder) / entry.name).symlink_to(entry)
            done = subprocess.run(
                ["bash", "-euc", "\n".join(lines)], cwd=folder, check=False,
                env={**os.environ, "DXG_NO_SETUP": "1", "PWD": folder},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        # The slots of the copy's adapter, then a test on it.
        self.assertIn("slots count=1 ", done.stdout)
        self.assertIn("\nok 1 ", done.stdout)
        self.assertNotIn("\nnot ok ", done.stdout)
