# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the sidebar of the 3D view."""
from __future__ import annotations

import os

import bpy

from . import automatic, names, payload, thumbnails
from .labels import labels
from .library import Mode
from .parked import ParkedImport
from .pending import Pending
from .session import session

MODES = {
    Mode.CONNECTING: ('Connecting', 'SORTTIME'),
    Mode.HUB: ('Hub (Primary)', 'NETWORK_DRIVE'),
    Mode.CLIENT: ('Client (Secondary)', 'LINKED'),
    Mode.PORT_TAKEN: ('Port Taken by %s', 'ERROR'),
    Mode.NOT_RESPONDING: ('Hub Not Responding', 'ERROR'),
    Mode.UNUSABLE: ('Hub Cannot Be Used', 'ERROR'),
    Mode.SUPERSEDED: ('Superseded', 'ERROR'),
}

ASSETS_SHOWN = 6
THUMBNAIL_SCALE = 4.0
# Of a box inside a panel.
BOX_MARGIN = 76


class Panel:
    """What Blender calls it is the name of its class."""
    bl_space_type = 'VIEW_3D'
    bl_region_type = 'UI'
    bl_category = 'Quixel'


class Part(Panel):
    bl_parent_id = 'VIEW3D_PT_bridge_hub'


class VIEW3D_PT_bridge_hub(Panel, bpy.types.Panel):
    bl_label = 'Quixel Bridge'

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.operator('bridge_hub.open_preferences', text='', icon='PREFERENCES', emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if not session.runs:
            _draw_stopped(layout, context)
            return
        _draw_status(layout, context)
        column = layout.column(align=True)
        row = column.row(align=True)
        row.scale_y = 1.5
        row.operator('bridge_hub.launch_and_claim')
        if session.status.active:
            column.operator('bridge_hub.release')
        if session.problem:
            _draw_error(layout, context, session.problem)
        if session.status.mode == Mode.SUPERSEDED:
            layout.operator('bridge_hub.restart', icon='FILE_REFRESH')


def _draw_stopped(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    layout.label(text='Not Running', icon='CANCEL')
    if session.why_not:
        _draw_error(layout, context, session.why_not)
    layout.operator('bridge_hub.start')


def _draw_status(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    status = session.status
    column = layout.column(align=True)
    text, icon = MODES[status.mode]
    labels(column, context, text % status.who_has_port if status.mode == Mode.PORT_TAKEN else text, icon, most=2)
    if status.active:
        column.label(text='Active, receiving imports', icon='RADIOBUT_ON')
    else:
        column.label(text='Inactive', icon='RADIOBUT_OFF')
    column.label(text=session.name, icon='FILE_BLEND')


def _draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, dismiss: bool = False) -> None:
    box = layout.box()
    column = box.column()
    column.alert = True
    labels(column, context, text[:1].upper() + text[1:], 'ERROR', most=12, margin=BOX_MARGIN)
    if dismiss:
        box.operator('bridge_hub.forget_error', icon='X')


class VIEW3D_PT_bridge_hub_windows(Part, bpy.types.Panel):
    bl_label = 'Blender Windows'

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(session.status.peers)

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        shown = names.to_show(session.status.peers)
        for peer in session.status.peers:
            active = peer.instance == session.status.active_instance
            own = peer.instance == session.status.instance
            row = column.row(align=True)
            row.label(text=shown[peer.instance] + (' (this one)' if own else ''),
                      icon='RADIOBUT_ON' if active else 'RADIOBUT_OFF')
            button = row.row(align=True)
            button.enabled = not active
            button.operator('bridge_hub.claim', text='', icon='IMPORT', depress=active).instance = peer.instance


class VIEW3D_PT_bridge_hub_imports(Part, bpy.types.Panel):
    bl_label = 'Imports'

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.runs

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if session.progress is not None:
            _draw_progress(layout, context)
        items = session.queue.items()
        if items and automatic.is_on():
            labels(layout, context, automatic.why_not_now() or 'Importing', 'TIME')
        for item in items:
            _draw_pending(layout.box(), context, item)
        if len(items) > 1:
            row = layout.row(align=True)
            row.operator('bridge_hub.import_all', icon='IMPORT')
            row.operator('bridge_hub.discard_all')
        _draw_waiting(layout, context)
        if session.last_import:
            labels(layout, context, session.last_import, 'CHECKMARK', most=2)
        if session.last_error:
            _draw_error(layout, context, session.last_error, dismiss=True)
        if not (items or session.status.waiting or session.last_import or session.last_error):
            layout.label(text='Nothing yet', icon='BLANK1')


def _draw_waiting(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    waiting = session.status.waiting
    if waiting:
        exports = '1 export waits' if waiting == 1 else '%d exports wait' % waiting
        if session.status.active_instance:
            whom = 'for this window' if session.status.active else 'for another window'
        else:
            whom = 'until a window is active'
        labels(layout, context, '%s %s' % (exports, whom), 'TIME')


def _draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    progress = session.progress
    column = layout.column(align=True)
    if hasattr(column, 'progress'):
        column.progress(factor=progress.share, text='%d %%' % round(progress.share * 100))
    else:
        # Before Blender 4.0 a slider that nobody can move.
        context.window_manager.bridge_hub_progress = progress.share * 100
        column.prop(context.window_manager, 'bridge_hub_progress', text='', slider=True)
    labels(column, context, progress.text, most=2)


def _draw_pending(box: bpy.types.UILayout, context: bpy.types.Context, item: Pending) -> None:
    labels(box, context, item.title, 'PACKAGE' if len(item.assets) < 2 else 'DOCUMENTS', most=2, margin=BOX_MARGIN)
    if item.error:
        labels(box, context, item.error, 'ERROR', margin=BOX_MARGIN)
    elif len(item.assets) == 1:
        _draw_asset(box, context, item)
    else:
        _draw_batch(box, context, item)
    if item.attempt > 1:
        labels(box, context, 'Sent before (attempt %d): it may have been imported already' % item.attempt, 'INFO',
               margin=BOX_MARGIN)
    if item.done:
        labels(box, context, '%d of %d were imported before' % (len(item.done), len(item.assets)), 'INFO',
               margin=BOX_MARGIN)
    _draw_missing(box, context, item)
    row = box.row(align=True)
    row.operator('bridge_hub.import_pending', icon='IMPORT').import_id = item.import_id
    row.operator('bridge_hub.discard', icon='TRASH').import_id = item.import_id


def _draw_asset(box: bpy.types.UILayout, context: bpy.types.Context, item: Pending) -> None:
    asset = item.assets[0]
    icon = thumbnails.icon(item.import_id, asset.preview)
    if icon:
        box.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE)
    column = box.column(align=True)
    column.scale_y = 0.8
    for text in payload.summary(asset).split(', '):
        column.label(text=text, icon='BLANK1')


def _draw_batch(box: bpy.types.UILayout, context: bpy.types.Context, item: Pending) -> None:
    column = box.column()
    for asset in item.assets[:ASSETS_SHOWN]:
        icon = thumbnails.icon(item.import_id, asset.preview) or 'DOT'
        labels(column, context, '%s, %s' % (asset.name, asset.label), icon, most=2, margin=BOX_MARGIN)
    if len(item.assets) > ASSETS_SHOWN:
        column.label(text='and %d more' % (len(item.assets) - ASSETS_SHOWN), icon='BLANK1')


def _draw_missing(box: bpy.types.UILayout, context: bpy.types.Context, item: Pending) -> None:
    count = item.missing_count
    if not count:
        return
    first = next(iter(item.missing.values()))[0]
    name = os.path.basename(first.replace('\\', '/'))
    text = 'Not on disk: %s' % name if count == 1 else '%d files are not on disk: %s, …' % (count, name)
    labels(box, context, text, 'ERROR', margin=BOX_MARGIN)


class VIEW3D_PT_bridge_hub_parked(Part, bpy.types.Panel):
    bl_label = 'Parked'

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.status.parked > 0

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.label(text=str(session.status.parked))

    def draw(self, context: bpy.types.Context) -> None:
        for item in session.parked:
            _draw_parked(self.layout.box(), context, item)


def _draw_parked(box: bpy.types.UILayout, context: bpy.types.Context, item: ParkedImport) -> None:
    column = box.column(align=True)
    labels(column, context, session.titles.get(item.import_id, item.title), 'PAUSE', most=2, margin=BOX_MARGIN)
    # Above, among the imports, stands why the last one failed.
    if item.why and item.import_id != session.failed_import:
        labels(column, context, item.why[:1].upper() + item.why[1:], 'BLANK1', most=4, margin=BOX_MARGIN)
    row = box.row(align=True)
    row.operator('bridge_hub.retry', icon='FILE_REFRESH').import_id = item.import_id
    row.operator('bridge_hub.drop', text='Remove', icon='TRASH').import_id = item.import_id


CLASSES = (VIEW3D_PT_bridge_hub, VIEW3D_PT_bridge_hub_windows, VIEW3D_PT_bridge_hub_imports,
           VIEW3D_PT_bridge_hub_parked)


def register() -> None:
    bpy.types.WindowManager.bridge_hub_progress = bpy.props.FloatProperty(
        name='Progress', subtype='PERCENTAGE', min=0, max=100, precision=0, options={'SKIP_SAVE'})


def unregister() -> None:
    del bpy.types.WindowManager.bridge_hub_progress
