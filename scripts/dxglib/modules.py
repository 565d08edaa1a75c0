# SPDX-License-Identifier: GPL-2.0-or-later
"""Our kernel modules, built out of tree for one guest kernel.

Kbuild writes beside its sources, so it gets a farm of symbolic links in
build/modules/VERSION/src:

    src/...         every file of guest-driver/
    src/hw-include  hw/include

The source folders stay clean, and several kernels can be built from them.
build/modules/VERSION/test is the same once more, built with DXG_TEST_BUILD=1:
hooks for tests that no release has (alloc_fail.h).  Only tests that ask for it
by `exec --test-modules` get it.
"""

import os
import re

from dxglib import kernel, paths

JOBS = str(os.cpu_count() or 1)
# A module loads without BTF as well, and making it takes pahole.
NO_BTF = ("CONFIG_DEBUG_INFO_BTF_MODULES=",)
# The kernel's own modules that the guest needs, each after those it uses.
BASE = ("virtio_ring", "virtio", "virtio_pci_legacy_dev",
        "virtio_pci_modern_dev", "virtio_pci", "virtio_console")


def wanted():
    """Whether there is something to build."""
    return (paths.GUEST_DRIVER / "Kbuild").exists()


def inputs(version):
    return ("1", paths.STAMP / f"kernel-{version}", paths.GUEST_DRIVER,
            paths.HW_INCLUDE)


def outputs(version, tree="src"):
    return [paths.modules(version) / tree]


def build(context, version, tree="src"):
    """Build all modules; the note counts the compiler's warnings."""
    src = paths.modules(version) / tree
    test_build = ["DXG_TEST_BUILD=1"] if tree == "test" else []
    link_farm(src, {"": paths.GUEST_DRIVER, "hw-include": paths.HW_INCLUDE})
    context.command(
        ["make", *arguments(version, src), *test_build, "W=1", "modules"],
        "building the kernel modules", env=dict(os.environ, LC_ALL="C"))
    text = context.log_path.read_text(errors="replace")
    warnings = len(re.findall(r"\bwarning: ", text))
    names = ", ".join(sorted(path.name for path in src.rglob("*.ko")))
    return names + (f", {warnings} warnings (see the log)" if warnings else "")


def arguments(version, src, hw_include=paths.HW_INCLUDE):
    """make's arguments for the tree SRC of ours and the kernel VERSION."""
    return ["-C", paths.kernel(version) / "headers", f"M={src}",
            f"DXGPU_HW_INCLUDE={hw_include}", *NO_BTF, f"-j{JOBS}"]


def built(version, tree="src"):
    """The modules of guest-driver/, by name without ".ko".

    tree: a build of VERSION's, or the absolute path of another one.
    """
    src = paths.modules(version) / tree
    return {path.stem: path for path in sorted(src.rglob("*.ko"))}


def link_farm(target, trees):
    """Mirror TREES ({prefix: folder}) as links below TARGET.

    Links whose source is gone are removed; files that a build made stay.
    """
    wanted_links = {}
    for prefix, folder in trees.items():
        for top, folders, files in os.walk(folder):
            folders.sort()
            place = os.path.relpath(top, folder)
            for name in files:
                path = os.path.normpath(os.path.join(prefix, place, name))
                wanted_links[path] = os.path.join(top, name)
    for top, _, files in os.walk(target):
        for name in files:
            path = os.path.join(top, name)
            if (os.path.islink(path)
                    and os.path.relpath(path, target) not in wanted_links):
                os.unlink(path)
    for path, source in wanted_links.items():
        place = os.path.join(target, path)
        if os.path.islink(place) and os.readlink(place) == source:
            continue
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.lexists(place):
            os.unlink(place)
        os.symlink(source, place)


def base_modules(version):
    """The kernel's own modules that the guest needs, in order of insertion.

    Those that this kernel has built in are simply not there.
    """
    tree = (paths.kernel(version) / "lib/modules" / kernel.release(version))
    have = {path.stem: path for path in tree.rglob("virtio*.ko*")}
    return [have[name] for name in BASE if name in have]
