# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's kernel: Debian's packages, downloaded and unpacked, or one's own.

A third one, to find defects, is built of Debian's source: debug_kernel.py.

build/kernel/VERSION/ holds the packages' trees and these stable names:

    vmlinux   the ELF image taken out of the bzImage (PVH entry: no
              decompression in the guest, a third of a second less to boot)
    bzImage   the image as Debian ships it
    headers   a kbuild tree: `make -C headers M=...` works

Debian's headers name /usr/src/... by absolute path; that line is rewritten to
the unpacked place.  KERNEL_DEBS=DIR names a folder of .deb files instead of a
download.

One's own kernel is named by a folder: a source tree that was built (or its
O= folder), or a folder with vmlinux or bzImage and a kbuild tree in headers/.
It is used where it is, by links; modules of it that the guest needs are looked
for in lib/modules of the folder, then in its kbuild tree.  Only its image is
extracted anew when it changes.
"""

import hashlib
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

from dxglib import apt, debug_kernel, paths, steps
from dxglib.errors import SetupError, UsageError

DEFAULT = "6.1"
# Debian 12's own, and the one of its backports.
VERSIONS = ("6.1", "6.12")
# The meta packages that name the newest real ones.
META = ("linux-image-cloud-amd64", "linux-headers-cloud-amd64")
HELP = (f"kernel of the guest: {', '.join(VERSIONS)}, {debug_kernel.NAME} (our "
        "own with the lock validator, built in minutes when it is asked for), "
        "or a folder with vmlinux or bzImage and a kbuild tree (itself, or its "
        "headers/)")
UTSRELEASE = "include/generated/utsrelease.h"
# Name below build/kernel -> folder of the user, filled by check().
_LOCAL = {}

# Compression of the payload by its first bytes -> program on stdin/stdout.
UNPACKERS = {
    b"\x02\x21\x4c\x18": ("lz4", "-dc"),
    b"\x28\xb5\x2f\xfd": ("zstd", "-dcq"),
    b"\xfd7zXZ\0": ("xz", "-dcq", "--single-stream"),
    b"\x1f\x8b": ("gzip", "-dcq"),
}


def check(text):
    """The name below build/kernel of --kernel's value TEXT.

    A version of Debian, or a name made for the user's folder; a UsageError
    for anything else.
    """
    if text in (*VERSIONS, debug_kernel.NAME):
        return text
    folder = Path(text)
    if not folder.is_dir():
        raise UsageError(f"--kernel {text}: not known and no folder; allowed: "
                         + ", ".join((*VERSIONS, debug_kernel.NAME, "PATH")))
    folder = folder.resolve()
    _image(folder)
    if not (_kbuild(folder) / UTSRELEASE).is_file():
        raise UsageError(f"--kernel {text}: neither it nor its headers/ is a "
                         f"built kbuild tree (there is no {UTSRELEASE})")
    name = "own-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    _LOCAL[name] = folder
    return name


def what(version):
    """The words of the progress line of prepare()."""
    if version in _LOCAL:
        return f"Linux of {_LOCAL[version]}, linked"
    if version == debug_kernel.NAME:
        return "Linux with the lock validator, built"
    return f"Linux {version} of Debian, unpacked"


def _kbuild(folder):
    inner = folder / "headers"
    return inner if inner.is_dir() else folder


def _image(folder):
    """The user's kernel image, an ELF one before a bzImage."""
    for name in ("vmlinux", "bzImage", "arch/x86/boot/bzImage"):
        if (folder / name).is_file():
            return folder / name
    raise UsageError(f"--kernel {folder}: holds no vmlinux, bzImage or "
                     "arch/x86/boot/bzImage")


def inputs(version):
    if version == debug_kernel.NAME:
        return debug_kernel.inputs()
    if version in _LOCAL:
        folder = _LOCAL[version]
        tree = _kbuild(folder)
        return ("own 2", str(folder), _image(folder), tree / ".config",
                tree / "Module.symvers", tree / UTSRELEASE)
    named = os.environ.get("KERNEL_DEBS")
    kept = paths.kernel(version) / "from"
    if named is None and kept.exists():
        named = kept.read_text()
    return ("1", str(paths.kernel(version)), *META, named or "archive")


def outputs(version):
    base = paths.kernel(version)
    return [base / "vmlinux", base / "bzImage", base / "headers/Makefile"]


def prepare(context, version):
    """Unpack, link or build the kernel VERSION; the note names its release."""
    base = paths.kernel(version)
    if version in _LOCAL:
        return _link(base, _LOCAL[version])
    if version == debug_kernel.NAME:
        return debug_kernel.prepare(context)
    named = os.environ.get("KERNEL_DEBS")
    if named:
        debs = _local(Path(named), version)
    else:
        debs = _download(context, version)
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    for deb in debs:
        context.note(f"unpack {deb}")
        steps.unpack(deb, base)
    release = _release(base)
    _headers(base, release)
    shutil.move(base / f"boot/vmlinuz-{release}", base / "bzImage")
    with open(base / "vmlinux", "wb") as out:
        _extract((base / "bzImage").read_bytes(), out)
    (base / "release").write_text(release + "\n")
    (base / "from").write_text(named or "archive")
    return release


def release(version):
    """The kernel's own name for itself (uname -r)."""
    return (paths.kernel(version) / "release").read_text().strip()


def _download(context, version):
    private = apt.Private(context)
    image_meta, headers_meta = META

    def only(package, pattern):
        names = [name for name in private.depends(package, f"{version}.")
                 if re.fullmatch(pattern, name)]
        if not names:
            raise SetupError(f"the mirror's {package} depends on no "
                             f"package like {pattern}")
        return names[0]

    image = only(image_meta, r"linux-image-\d.*")
    headers = only(headers_meta, r"linux-headers-\d.*")
    return private.download([image, headers,
                             only(headers, r"linux-headers-.*-common"),
                             only(headers, r"linux-kbuild-.*")])


def _local(folder, version):
    found = []
    for pattern in (f"linux-image-{version}.*-cloud-amd64_*.deb",
                    f"linux-headers-{version}.*-cloud-amd64_*.deb",
                    f"linux-headers-{version}.*-common_*.deb",
                    f"linux-kbuild-{version}[._]*.deb"):
        debs = sorted(folder.glob(pattern))
        if not debs:
            raise SetupError(f"KERNEL_DEBS={folder}: there is no {pattern}")
        found.append(debs[-1])
    return found


def _link(base, folder):
    """Make the stable names for the user's FOLDER; returns its release."""
    tree, image = _kbuild(folder), _image(folder)
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    # Modules are built for this name; Debian's kernel.release is another.
    release_name = (tree / UTSRELEASE).read_text().split('"')[1]
    (base / "headers").symlink_to(tree)
    compressed = folder / "arch/x86/boot/bzImage"
    (base / "bzImage").symlink_to(compressed if compressed.is_file() else image)
    if image.name == "vmlinux":
        (base / "vmlinux").symlink_to(image)
    else:
        with open(base / "vmlinux", "wb") as out:
            _extract(image.read_bytes(), out)
    own = folder / "lib/modules" / release_name
    (base / "lib/modules").mkdir(parents=True)
    (base / "lib/modules" / release_name).symlink_to(
        own if own.is_dir() else tree)
    (base / "release").write_text(release_name + "\n")
    return release_name


def _release(base):
    images = sorted((base / "boot").glob("vmlinuz-*"))
    if len(images) != 1:
        raise SetupError(f"expected one kernel image in {base / 'boot'}, "
                         f"found {len(images)}")
    return images[0].name.removeprefix("vmlinuz-")


def _headers(base, release_name):
    tree = base / f"usr/src/linux-headers-{release_name}"
    makefile = tree / "Makefile"
    text = makefile.read_text()
    changed = text.replace(" /usr/src/", f" {base}/usr/src/")
    if changed == text:
        raise SetupError(f"{makefile} has no absolute path to rewrite: these "
                         "headers are laid out in an unknown way")
    makefile.write_text(changed)
    (base / "headers").symlink_to(tree.relative_to(base))


def _extract(image, out):
    """Write the ELF kernel inside the bzImage IMAGE to the file OUT.

    The boot protocol's header (2.08 and later) says where the payload is;
    its last four bytes are the unpacked size, not part of the stream.
    """
    if len(image) < 0x250 or image[0x202:0x206] != b"HdrS":
        raise SetupError("the kernel package's vmlinuz is no x86 bzImage")
    setup_sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = image[start:start + length]
    for magic, command in UNPACKERS.items():
        if payload.startswith(magic):
            break
    else:
        raise SetupError("the kernel's payload is compressed in an unknown "
                         f"way (it begins {payload[:6].hex()})")
    done = subprocess.run(command, input=payload[:-4], stdout=out,
                          stderr=subprocess.PIPE, check=False)
    out.flush()
    with open(out.name, "rb") as made:
        elf = made.read(4)
    size = struct.unpack_from("<I", payload, len(payload) - 4)[0]
    if elf != b"\x7fELF" or os.path.getsize(out.name) != size:
        raise SetupError(f"{command[0]} did not give the kernel's "
                         f"{size} bytes of ELF: "
                         + done.stderr.decode(errors="replace").strip())
