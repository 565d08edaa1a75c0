# SPDX-License-Identifier: GPL-2.0-or-later
"""Mends of defects in QEMU itself that our tests meet.

A fix is a few exchanges of text in one file, made once, when the source is
unpacked (qemu.py).  It is for a source that has the defect, known by a text:
a source without that text, older or mended upstream, is left as it is, and
set-up says so.  One that has it, but is otherwise not what the fix knows, is
refused: it would be built with the defect.

A fix is here only with a test that fails without it, and goes when the series
that we build has it.  Rejected: a .patch file, see overlay.py.
"""

from dataclasses import dataclass
from pathlib import Path

from dxglib.errors import SetupError


@dataclass(frozen=True)
class Fix:
    """What is wrong in a file of QEMU, how it is known, and its mend."""

    name: str
    path: str
    defect: str
    exchanges: tuple


# docs/decisions/0015 has the story; machine-map is the test.
IOTLB = Fix(
    "iotlb", "system/physmem.c",
    "    AddressSpaceDispatch *d = address_space_to_dispatch(cpuas->as);\n"
    "    int section_index = index & ~TARGET_PAGE_MASK;\n",
    (("""\
    AddressSpace *as;
    MemoryListener tcg_as_listener;
} CPUAddressSpace;
""", """\
    AddressSpace *as;
    MemoryListener tcg_as_listener;
    /* dxgpu: what the TLB was filled from; we have a reference. vCPU thread. */
    FlatView *tlb_view;
} CPUAddressSpace;

/*
 * dxgpu: section numbers in the TLB are those of this dispatch, and not of the
 * address space's newest, until the vCPU has flushed its TLB.
 */
static AddressSpaceDispatch *cpuas_tlb_dispatch(CPUAddressSpace *cpuas)
{
    return cpuas->tlb_view ? flatview_to_dispatch(cpuas->tlb_view)
                           : address_space_to_dispatch(cpuas->as);
}
"""), ("""\
    AddressSpaceDispatch *d = address_space_to_dispatch(cpu->cpu_ases[asidx].as);
""", """\
    AddressSpaceDispatch *d = cpuas_tlb_dispatch(&cpu->cpu_ases[asidx]);
"""), ("""\
            memory_listener_unregister(&cpuas->tcg_as_listener);
        }
""", """\
            memory_listener_unregister(&cpuas->tcg_as_listener);
            if (cpuas->tlb_view) {
                flatview_unref(cpuas->tlb_view);
            }
        }
"""), ("""\
    AddressSpaceDispatch *d = address_space_to_dispatch(cpuas->as);
    int section_index = index & ~TARGET_PAGE_MASK;
""", """\
    AddressSpaceDispatch *d = cpuas_tlb_dispatch(cpuas);
    int section_index = index & ~TARGET_PAGE_MASK;
"""), ("""\
static void tcg_commit_cpu(CPUState *cpu, run_on_cpu_data data)
{
    tlb_flush(cpu);
}
""", """\
static void tcg_commit_cpu(CPUState *cpu, run_on_cpu_data data)
{
    CPUAddressSpace *cpuas = data.host_ptr;
    FlatView *old = cpuas->tlb_view;

    cpuas->tlb_view = address_space_get_flatview(cpuas->as);
    tlb_flush(cpu);
    if (old) {
        flatview_unref(old);
    }
}
""")))

FIXES = (IOTLB,)


def fixed(text, fix):
    """TEXT with FIX, or None when it has not the defect."""
    if fix.defect not in text:
        return None
    for old, new in fix.exchanges:
        count = text.count(old)
        if count != 1:
            raise SetupError(
                f"QEMU's {fix.path} has the defect \"{fix.name}\", but the "
                f"text beginning with \"{old.splitlines()[0].strip()}\" stands "
                f"{count} times, expected once: the fix does not know this QEMU",
                "the fixes are in scripts/dxglib/qemu_fixes.py; Debian's "
                "10.0.13 is known to fit")
        text = text.replace(old, new)
    return text


def apply(qemu):
    """Mend the source tree QEMU, just unpacked; names of what was mended."""
    made = []
    for fix in FIXES:
        path = Path(qemu) / fix.path
        try:
            text = fixed(path.read_text(), fix)
        except OSError as error:
            raise SetupError(f"{path}: {error.strerror}: this is no QEMU "
                             "source tree") from None
        if text is not None:
            path.write_text(text)
            made.append(fix.name)
    return made
