# SPDX-License-Identifier: MIT
"""What `scons platform=windows test` and the others run: programs for Windows, under Wine."""


def add(env, parts, release):
    pass
