# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel with the lock validator: asked for only, and configured as said."""

import unittest
from unittest import mock

from dxglib import debug_kernel, kernel, setup


class DebugKernel(unittest.TestCase):
    def test_only_when_asked_for(self):
        self.assertEqual(kernel.check("debug"), "debug")
        # Those are lint's and the default tests'.
        self.assertNotIn("debug", kernel.VERSIONS)
        names = [step.name for step in setup.all_steps()]
        self.assertFalse([name for name in names if "debug" in name])
        names = [step.name for step in setup.all_steps("debug")]
        self.assertIn("kernel-debug", names)
        self.assertIn("modules-debug", names)

    def test_inputs(self):
        self.assertIn(debug_kernel.CONFIG, kernel.inputs("debug"))
        with mock.patch.object(debug_kernel, "LEFT_OUT", ("x",)):
            self.assertIn("x", kernel.inputs("debug"))

    def test_what_kconfig_dropped(self):
        made = "CONFIG_SMP=y\nCONFIG_NR_CPUS=16\n# CONFIG_VT is not set\n"
        for line, met in (("CONFIG_SMP=y", True), ("CONFIG_NR_CPUS=16", True),
                          ("CONFIG_VT=n", True), ("# CONFIG_X=y", True),
                          ("CONFIG_NR_CPUS=1", False), ("CONFIG_VT=y", False),
                          ("CONFIG_SMP=n", False), ("CONFIG_SM=y", False)):
            with self.subTest(line):
                self.assertEqual(debug_kernel.unmet(line + "\n", made),
                                 [] if met else [line])

    def test_the_lock_validator_is_asked_for(self):
        wanted = debug_kernel.CONFIG.read_text().splitlines()
        for line in ("CONFIG_PROVE_LOCKING=y", "CONFIG_DEBUG_ATOMIC_SLEEP=y",
                     "CONFIG_BUG=y"):
            self.assertIn(line, wanted)
