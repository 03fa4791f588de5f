# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences.

Blender reads the annotations of a class with properties itself: they must not be postponed here.
"""
import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from . import library
from .options import ALWAYS, FOLLOW_PAYLOAD, NEVER
from .session import AS_EXPORTED, BLENDER_PORT, log_path, session

LODS = [(AS_EXPORTED, 'As Exported', 'The LOD that is chosen in Bridge'),
        ('high', 'High Poly', 'The high poly source, where it was downloaded')]
LODS += [('lod%d' % number, 'LOD%d' % number, 'LOD%d, or the nearest that there is' % number) for number in range(9)]

APPLY = [(FOLLOW_PAYLOAD, 'As Exported', 'If Bridge is set to apply to the selection'),
         (ALWAYS, 'Always', 'Give a surface to the objects that are selected'),
         (NEVER, 'Never', 'Only make the material')]

# What the importer is told, and how the preferences show it.
TEXTURES = ('use_ao', 'use_cavity', 'use_displacement', 'use_bump', 'use_translucency', 'flip_green')
PLACING = ('place_at_cursor', 'spread_out', 'apply_transform')
CHOICES = ('lod', 'apply_to_selection') + TEXTURES + PLACING


def _changed(self: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    session.restart_soon()


class BridgeHubPreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    import_at_once: BoolProperty(
        name='Import at Once', default=False,
        description='Import every export as soon as it arrives, without a preview')
    window: IntProperty(
        name='Previews', default=8, min=1, max=library.WINDOW_MAX, update=_changed,
        description='How many exports this window takes at a time, to show them before they are imported. '
                    'What is more waits in the hub')
    follow_focus: BoolProperty(
        name='Follow Focus', default=False,
        description='Make a window active as soon as you work in it: select, move or edit something')
    lod: EnumProperty(name='LOD', items=LODS, description='Which level of detail is imported')
    apply_to_selection: EnumProperty(
        name='Apply Surfaces', items=APPLY, description='Whether a surface is given to the objects that are selected')
    use_ao: BoolProperty(name='Ambient Occlusion', default=True, description='Multiply the albedo by it')
    use_cavity: BoolProperty(name='Cavity', default=False, description='Multiply the albedo by it')
    use_displacement: BoolProperty(
        name='Displacement', default=True, description='Connect it to the output of the material')
    use_bump: BoolProperty(name='Bump', default=False, description='Add it to the normal map')
    use_translucency: BoolProperty(
        name='Translucency', default=True, description='Let light through leaves, where there is a map for it')
    flip_green: BoolProperty(
        name='DirectX Normals', default=False,
        description='The normal maps are exported for DirectX: flip their green channel')
    place_at_cursor: BoolProperty(name='Place at 3D Cursor', default=True, description='Or at the origin of the world')
    spread_out: BoolProperty(
        name='Spread Out', default=True, description='Put variations, and the assets of a batch, beside each other')
    apply_transform: BoolProperty(
        name='Apply Transform', default=True, description='Give imported meshes a scale of 1 and no rotation')
    bridge_path: StringProperty(
        name='Bridge', subtype='FILE_PATH',
        description='The program that the large button starts. Empty: the usual places are searched')
    port: IntProperty(
        name='Port', default=library.PORT, min=1, max=65535, update=_changed,
        description="Where Bridge sends its exports: the port of Bridge's Custom Socket Export")
    also_blender_port: BoolProperty(
        name='Also %d' % BLENDER_PORT, default=False, update=_changed,
        description="Receive what Bridge's own target for Blender sends too, which has this port")
    group: StringProperty(
        name='Group', maxlen=library.GROUP_MAX, update=_changed,
        description='Blender windows of one group share one Bridge. Empty: the default group. Letters, digits and '
                    'hyphens; each group needs a port of its own')
    heartbeat_ms: IntProperty(
        name='Heartbeat (ms)', default=1000, min=10, max=60000, update=_changed,
        description='How often the hub tells every window how things are')
    timeout_ms: IntProperty(
        name='Time-out (ms)', default=5000, min=20, max=600000, update=_changed,
        description='After how much silence a hub or a window counts as lost: at least twice the heartbeat')

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        self._section('Importing', 'import_at_once', 'window', 'lod', 'apply_to_selection')
        self._section('Textures', *TEXTURES)
        self._section('Objects', *PLACING)
        self._section('Bridge', 'bridge_path', 'port', 'also_blender_port')
        self._section('Windows', 'follow_focus', 'group', 'heartbeat_ms', 'timeout_ms')
        self._log(layout.box())

    def _section(self, title: str, *names: str) -> None:
        box = self.layout.box()
        box.label(text=title)
        column = box.column()
        for name in names:
            column.prop(self, name)

    def _log(self, box: bpy.types.UILayout) -> None:
        box.label(text='Log')
        box.label(text=log_path(), icon='TEXT')
        row = box.row()
        row.operator('bridge_hub.open_log', icon='FILE_TEXT')
        row.operator('bridge_hub.copy_diagnostics', icon='COPYDOWN')


CLASSES = (BridgeHubPreferences,)
