# SPDX-License-Identifier: GPL-2.0-or-later
"""`--kernel debug`: a kernel of our own that looks for defects.

No kernel that Debian packages has the lock validator.  This one has it, and
what finds memory that is used after it was freed and calls that sleep where
they must not: Debian's source, configured by tests/kernel/debug.config and
nothing else.  It is built only for who asks for it (`dxg test`, `exec` or
`setup` with `--kernel debug`): that takes minutes.

build/kernel/debug/ holds the names that kernel.py describes, and

    source  unpacked once
    build   make's O= folder, which is also the kbuild tree; a changed
            configuration compiles again what depends on it
"""

import os
import shutil

from dxglib import apt, paths, tools
from dxglib.errors import SetupError

NAME = "debug"
CONFIG = paths.TESTS / "kernel/debug.config"
# What the kernel's own tools need beside tools.HOST_PACKAGES: objtool is built.
PACKAGES = ("libelf-dev",)
# By so much limits of waiting are longer: every lock is looked at.
SLOW = 4
JOBS = str(os.cpu_count() or 1)
# Large, and nothing that this configuration compiles.
LEFT_OUT = ("Documentation/[!K]*", "drivers/gpu/drm/*.[ch]",
            "drivers/net/*/*.[ch]", "sound/*.[ch]", "tools/testing/*")


def inputs():
    return ("1", tools.KERNEL_SOURCE, *PACKAGES, *LEFT_OUT, CONFIG)


def prepare(context):
    """Configure and build it; the note names its release."""
    base = paths.kernel(NAME)
    apt.install(context, PACKAGES)
    unpacked, wanted = base / "unpacked", repr((tools.KERNEL_SOURCE, LEFT_OUT))
    if not unpacked.exists() or unpacked.read_text() != wanted:
        shutil.rmtree(base, ignore_errors=True)
        (base / "build").mkdir(parents=True)
        tools.kernel_source(context, base / "source", [
            "--strip-components=1", "--wildcards",
            *(f"--exclude={tools.KERNEL_SOURCE}/{name}" for name in LEFT_OUT)],
            "unpacking the kernel's source")
        unpacked.write_text(wanted)
    build = base / "build"
    make = ["make", "-C", base / "source", f"O={build}", f"-j{JOBS}"]
    env = dict(os.environ, LC_ALL="C")
    context.command([*make, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"],
                    "configuring the kernel", env=env)
    lost = unmet(CONFIG.read_text(), (build / ".config").read_text())
    if lost:
        raise SetupError(f"{CONFIG.relative_to(paths.REPO)}: this source of "
                         "Linux does not take: " + ", ".join(lost))
    context.command([*make, "bzImage", "modules"], "building the kernel",
                    env=env)
    release = (build / "include/config/kernel.release").read_text().strip()
    (base / "lib/modules" / release).mkdir(parents=True, exist_ok=True)
    for name, target in (("headers", "build"), ("vmlinux", "build/vmlinux"),
                         ("bzImage", "build/arch/x86/boot/bzImage")):
        (base / name).unlink(missing_ok=True)
        (base / name).symlink_to(target)
    (base / "release").write_text(release + "\n")
    return release


def unmet(wanted, made):
    """Lines of the fragment WANTED that the configuration MADE has not.

    kconfig drops in silence what depends on something that is off.
    """
    have = set(made.splitlines())
    lost = []
    for line in wanted.splitlines():
        if not line.startswith("CONFIG_"):
            continue
        name, _, value = line.partition("=")
        if value == "n":
            met = not any(text.startswith(f"{name}=") for text in have)
        else:
            met = line in have
        if not met:
            lost.append(line)
    return lost
