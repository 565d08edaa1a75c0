# SPDX-License-Identifier: GPL-2.0-or-later
"""The host part: our meson project in build/host, and the guest's files.

Programs of the guest are ordinary programs of the host's libc; those that
meson installs with the tag 'guest' are staged to build/guest/root.
"""

import shutil

from dxglib import paths, qemu


def setup_inputs():
    return ("1", str(paths.REPO), paths.STAMP / "tools")


def setup(context):
    """Configure build/host from nothing."""
    shutil.rmtree(paths.HOST, ignore_errors=True)
    context.command([paths.MESON, "setup", paths.HOST, paths.REPO],
                    "meson setup", env=qemu.tools_env())
    return ""


def build_inputs():
    return ("2", paths.STAMP / "host-configure", paths.REPO / "meson.build",
            paths.HW, paths.GUEST_LIB, paths.TESTS,
            paths.GUEST_DRIVER)


def qtest_list():
    """Names of the qtests; tests/meson.build lists the same files."""
    return "\n".join(sorted(path.stem for path in (
        paths.TESTS / "qtest").glob("dxgpu-*-test.c")))


def build(context):
    """Build everything and stage the guest's files."""
    env = qemu.tools_env()
    listed = paths.HOST / "dxg-qtests"
    if not listed.exists() or listed.read_text() != qtest_list():
        context.command([paths.MESON, "setup", "--reconfigure", paths.HOST,
                         paths.REPO], "meson setup", env=env)
        listed.write_text(qtest_list())
    context.command(["ninja", "-j", qemu.JOBS, "-C", paths.HOST],
                    "building the host part", env=env)
    shutil.rmtree(paths.GUEST_ROOT, ignore_errors=True)
    paths.GUEST_ROOT.mkdir(parents=True)
    context.command([paths.MESON, "install", "-C", paths.HOST, "--no-rebuild",
                     "--destdir", paths.GUEST_ROOT, "--tags", "guest"],
                    "staging the guest's files", env=env)
    return ""
