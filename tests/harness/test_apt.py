# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the host's apt sources: the mirror is learnt, never assumed."""

import tempfile
import unittest
from pathlib import Path

from dxglib import apt, qemu
from dxglib.errors import SetupError

DEB822 = """\
Types: deb
# a comment inside
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /some/key

Types: deb-src
URIs: http://src.test/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb deb-src
URIs: http://one.test/debian
 http://two.test/debian
Suites: bookworm-security
Components: main contrib
"""

ONE_LINE = """\
# deb http://comment.test/debian bookworm main
deb http://a.test/debian bookworm main contrib # why
deb [arch=amd64 signed-by=/k] http://b.test/debian bookworm-updates main
deb-src http://c.test/debian bookworm main
deb https://tools.test/apt cloud-sdk-bookworm main
deb [broken http://d.test/debian bookworm main
deb
"""


class Sources(unittest.TestCase):
    def test_deb822(self):
        found = [(source.uri, source.suite)
                 for source in apt.parse_deb822(DEB822)]
        self.assertEqual(found, [
            ("http://mirror.test/debian", "bookworm"),
            ("http://mirror.test/debian", "bookworm-updates"),
            ("http://one.test/debian", "bookworm-security"),
            ("http://two.test/debian", "bookworm-security")])

    def test_one_line(self):
        found = [(source.uri, source.suite, source.components)
                 for source in apt.parse_one_line(ONE_LINE)]
        self.assertEqual(found, [
            ("http://a.test/debian", "bookworm", ("main", "contrib")),
            ("http://b.test/debian", "bookworm-updates", ("main",)),
            ("https://tools.test/apt", "cloud-sdk-bookworm", ("main",))])

    def test_others_are_skipped(self):
        found = apt.debian_sources(apt.parse_one_line(ONE_LINE), "bookworm")
        self.assertEqual([source.uri for source in found],
                         ["http://a.test/debian", "http://b.test/debian"])

    def test_both_formats_below_etc(self):
        with tempfile.TemporaryDirectory() as folder:
            etc = Path(folder)
            parts = etc / "sources.list.d"
            parts.mkdir()
            (etc / "sources.list").write_text(ONE_LINE)
            (parts / "debian.sources").write_text(DEB822)
            (parts / "old.list.bak").write_text("deb http://x/ bookworm main")
            self.assertEqual(len(apt.host_sources(etc)), 7)

    def test_no_sources_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(apt.host_sources(Path(folder)), [])

    def test_other_system_is_refused_by_name(self):
        with tempfile.NamedTemporaryFile("w") as release:
            release.write('ID=fedora\nPRETTY_NAME="Fedora 40"\n')
            release.flush()
            with self.assertRaisesRegex(SetupError, "Fedora 40"):
                apt.codename(Path(release.name))


class QemuVersion(unittest.TestCase):
    def test_newest_of_the_series(self):
        text = ("Package: qemu\nVersion: 1:10.0.9+ds-1\n\n"
                "Package: qemu\nVersion: 1:10.0.13+ds-0+deb13u1\n\n"
                "Package: qemu\nVersion: 1:10.1.2+ds-1\n\n"
                "Package: qemu\nVersion: 1:7.2+dfsg-7\n")
        self.assertEqual(qemu.newest_source(text), "1:10.0.13+ds-0+deb13u1")

    def test_none_fits(self):
        self.assertIsNone(qemu.newest_source("Version: 1:9.2.0+ds-1\n"))
