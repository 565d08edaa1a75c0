# SPDX-License-Identifier: GPL-2.0-or-later
"""The host part: our meson project in build/host, and the guest's files.

Programs of the guest are ordinary programs of the host's libc; those that
meson installs with the tag 'guest' are staged to build/guest/root.
"""

import shutil

from dxglib import paths, qemu


def setup_inputs():
    """Besides meson's own: what makes files as meson reads it.

    Such a file stays in build/host when it is made no more, and hides that
    somebody still needs it: a change of their list begins from nothing.
    """
    making = [path for path in sorted(paths.TESTS.rglob("meson.build"))
              if "configure_file(" in path.read_text()]
    return ("2", str(paths.REPO), paths.STAMP / "tools", *making)


def setup(context):
    """Configure build/host from nothing."""
    shutil.rmtree(paths.HOST, ignore_errors=True)
    context.command([paths.MESON, "setup", paths.HOST, paths.REPO],
                    "meson setup", env=qemu.tools_env())
    return ""


def build_inputs():
    return ("3", paths.STAMP / "host-configure", paths.REPO / "meson.build",
            paths.HW, paths.GUEST_LIB, paths.TESTS,
            paths.GUEST_DRIVER)


def layout():
    """What meson looks at but does not watch: which parts and qtests exist."""
    found = [path for folder in (paths.HW, paths.GUEST_LIB, paths.TESTS)
             for path in folder.rglob("meson.build")]
    found += (paths.TESTS / "qtest").glob("dxgpu-*-test.c")
    return "\n".join(sorted(str(path) for path in found))


def build(context):
    """Build everything and stage the guest's files."""
    env = qemu.tools_env()
    known = paths.HOST / "dxg-layout"
    if not known.exists() or known.read_text() != layout():
        context.command([paths.MESON, "setup", "--reconfigure", paths.HOST,
                         paths.REPO], "meson setup", env=env)
        known.write_text(layout())
    context.command(["ninja", "-j", qemu.JOBS, "-C", paths.HOST],
                    "building the host part", env=env)
    shutil.rmtree(paths.GUEST_ROOT, ignore_errors=True)
    paths.GUEST_ROOT.mkdir(parents=True)
    context.command([paths.MESON, "install", "-C", paths.HOST, "--no-rebuild",
                     "--destdir", paths.GUEST_ROOT, "--tags", "guest"],
                    "staging the guest's files", env=env)
    return ""
