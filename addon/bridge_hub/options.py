# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user can choose about an import. Needs no bpy."""
from __future__ import annotations

from dataclasses import dataclass

FOLLOW_PAYLOAD, ALWAYS, NEVER = 'payload', 'always', 'never'


@dataclass(frozen=True)
class ImportOptions:
    """`lod` is 'payload' (what Bridge exported), 'high', or 'lod0' and so on; `apply_to_selection` one of the three
    words above.

    `flip_green` is for normal maps that Bridge exported for DirectX; `spread_out` puts variations, and the assets of a
    batch, beside each other instead of into one place; `apply_transform` gives imported meshes scale 1 and no rotation.
    """
    lod: str = 'payload'
    use_ao: bool = True
    use_cavity: bool = False
    use_displacement: bool = True
    use_bump: bool = False
    use_translucency: bool = True
    flip_green: bool = False
    place_at_cursor: bool = True
    spread_out: bool = True
    apply_transform: bool = True
    apply_to_selection: str = FOLLOW_PAYLOAD

    @property
    def wanted_lod(self) -> str:
        return '' if self.lod == 'payload' else self.lod
