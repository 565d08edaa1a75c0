# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's kernel: Debian's packages, downloaded and unpacked.

build/kernel/VERSION/ holds the packages' trees and these stable names:

    vmlinux   the ELF image taken out of the bzImage (PVH entry: no
              decompression in the guest, a third of a second less to boot)
    bzImage   the image as Debian ships it
    headers   a kbuild tree: `make -C headers M=...` works

Debian's headers name /usr/src/... by absolute path; that line is rewritten to
the unpacked place.  KERNEL_DEBS=DIR names a folder of .deb files instead of a
download.
"""

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

from dxglib import apt, paths, steps
from dxglib.errors import SetupError, UsageError

DEFAULT = "6.1"
# Version -> the meta packages that name the newest real ones.
META = {"6.1": ("linux-image-cloud-amd64", "linux-headers-cloud-amd64")}

# Compression of the payload by its first bytes -> program on stdin/stdout.
UNPACKERS = {
    b"\x02\x21\x4c\x18": ("lz4", "-dc"),
    b"\x28\xb5\x2f\xfd": ("zstd", "-dcq"),
    b"\xfd7zXZ\0": ("xz", "-dcq", "--single-stream"),
    b"\x1f\x8b": ("gzip", "-dcq"),
}


def check(version):
    """Refuse a version that dxg has no packages for."""
    if version not in META:
        raise UsageError(f"--kernel {version}: not known; allowed: "
                         + ", ".join(META))
    return version


def inputs(version):
    named = os.environ.get("KERNEL_DEBS")
    kept = paths.kernel(version) / "from"
    if named is None and kept.exists():
        named = kept.read_text()
    return ("1", str(paths.kernel(version)), *META[version],
            named or "archive")


def outputs(version):
    base = paths.kernel(version)
    return [base / "vmlinux", base / "bzImage", base / "headers/Makefile"]


def prepare(context, version):
    """Unpack the kernel VERSION; the note names Debian's release."""
    base = paths.kernel(version)
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
    image_meta, headers_meta = META[version]

    def only(package, pattern):
        names = [name for name in private.depends(package)
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
    for pattern in (f"linux-image-{version}*-cloud-amd64_*.deb",
                    f"linux-headers-{version}*-cloud-amd64_*.deb",
                    f"linux-headers-{version}*-common_*.deb",
                    f"linux-kbuild-{version}*_*.deb"):
        debs = sorted(folder.glob(pattern))
        if not debs:
            raise SetupError(f"KERNEL_DEBS={folder}: there is no {pattern}")
        found.append(debs[-1])
    return found


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
