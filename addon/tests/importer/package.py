# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the add-on's modules importable without its shell (operators, panel, library), and without Blender."""
import os
import sys
import types

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PAYLOADS = os.path.join(TOP, 'spec/payloads')


def load():
    package = types.ModuleType('bridge_hub')
    package.__path__ = [os.path.join(TOP, 'addon/bridge_hub')]
    sys.modules.setdefault('bridge_hub', package)


load()
