#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The library's entry points (KMT-0.1).

exports-test.py HEADER LIBRARY: TAP on stdout. Every function that the header
declares is exported by the library under its name, and the other way round;
it is declared with one pointer to its parameter structure and gives an
NTSTATUS, which is INVALID_PARAMETER for a null pointer.
"""

import ctypes
import pathlib
import re
import subprocess
import sys

# What must not be missing, whatever the header says.
CALLS = {"D3DKMTCreateDoorbell", "D3DKMTConnectDoorbell",
         "D3DKMTDestroyDoorbell", "D3DKMTNotifyWorkSubmission",
         "D3DKMTCreateHwQueue", "D3DKMTDestroyHwQueue"}
INVALID_PARAMETER = 0xc000000d


def main(header, library):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "",
                  pathlib.Path(header).read_text(), flags=re.S)
    declared = set(re.findall(r"\b(D3DKMT[A-Z]\w+)\s*\(", text))
    proper = set(re.findall(
        r"^NTSTATUS\s+(D3DKMT\w+)\(\s*(?:const )?D3D(?:KMT|DDI)_\w+\s*\*\w+\);",
        text, re.M))
    symbols = subprocess.run(["nm", "-D", "--defined-only", library],
                             check=True, capture_output=True, text=True)
    exported = set(re.findall(r" T (D3DKMT\w+)", symbols.stdout))
    calls = ctypes.CDLL(library)
    refused = set()
    for name in declared & exported:
        function = getattr(calls, name)
        function.restype = ctypes.c_uint32
        if function(ctypes.c_void_p(None)) == INVALID_PARAMETER:
            refused.add(name)

    checks = (
        ("the doorbell calls are declared and exported (KMT-0.1)",
         CALLS - (declared & exported)),
        (f"{len(declared)} declared functions are exported (KMT-0.1)",
         declared - exported),
        ("no other is exported under such a name (KMT-0.1)",
         exported - declared),
        ("each takes one pointer and gives an NTSTATUS (KMT-0.1)",
         declared - proper),
        ("a null pointer is INVALID_PARAMETER to each (KMT-0.3)",
         declared - refused))
    print(f"1..{len(checks)}")
    for number, (name, wrong) in enumerate(checks, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        if wrong:
            print("# not " + ", ".join(sorted(wrong)))
    return any(wrong for _, wrong in checks)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
