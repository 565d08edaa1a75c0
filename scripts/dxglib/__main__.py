# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry of `python3 scripts/dxglib`; scripts/dxg calls it so."""

import sys
from pathlib import Path

# Python puts this folder first; the package is found from its parent.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from dxglib.cli import main  # noqa: E402  (needs the path set above)

sys.exit(main(sys.argv[1:]))
