# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do.

Blender reads the annotations of a class with properties itself: they must not be postponed here.
"""
from typing import Set

import bpy
from bpy.props import StringProperty

from . import bridge_program, diagnostics, importing
from .bridge_program import BridgeError
from .library import LibraryError
from .session import preferences, session
from .wrapping import first_lines

CLAIMED = 'This Blender instance is now active for Bridge imports'
CLAIMS_LATER = 'This Blender instance becomes active for Bridge imports as soon as a hub answers'


class Running:
    """Of an operator that needs an instance."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.runs


def _claim(operator: bpy.types.Operator, instance: str = '') -> Set[str]:
    why_not = session.claim(instance)
    if why_not:
        operator.report({'ERROR'}, why_not)
        return {'CANCELLED'}
    if instance and session.status.active_instance == instance:
        operator.report({'INFO'}, 'That Blender instance is now active for Bridge imports')
    elif not instance:
        operator.report({'INFO'}, CLAIMED if session.status.active else CLAIMS_LATER)
    return {'FINISHED'}


class LaunchAndClaim(Running, bpy.types.Operator):
    """Start Quixel Bridge if it is not running, and let this Blender window receive what it exports"""
    bl_idname = 'bridge_hub.launch_and_claim'
    bl_label = 'Launch Bridge & Claim Active'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        result = _claim(self)
        try:
            if result == {'FINISHED'} and bridge_program.ensure_running(bpy.path.abspath(preferences().bridge_path)):
                self.report({'INFO'}, 'Quixel Bridge was started')
        except BridgeError as error:
            # The window is active all the same, and Bridge can be started by hand.
            self.report({'WARNING'}, str(error))
        return result


class Claim(Running, bpy.types.Operator):
    """Let this Blender window, or another one, receive what Bridge exports"""
    bl_idname = 'bridge_hub.claim'
    bl_label = 'Claim Active'

    instance: StringProperty(options={'SKIP_SAVE', 'HIDDEN'})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        which = 'that' if properties.instance else 'this'
        return 'Let %s Blender window receive what Bridge exports' % which

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return _claim(self, self.instance)


class Release(Running, bpy.types.Operator):
    """Let no Blender window receive what Bridge exports: it waits until one claims"""
    bl_idname = 'bridge_hub.release'
    bl_label = 'Release'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        why_not = session.release()
        if why_not:
            self.report({'ERROR'}, why_not)
        return {'CANCELLED'} if why_not else {'FINISHED'}


class OfImport(Running):
    import_id: StringProperty(options={'SKIP_SAVE', 'HIDDEN'})


class Import(OfImport, bpy.types.Operator):
    """Import this export into the scene"""
    bl_idname = 'bridge_hub.import_pending'
    bl_label = 'Import'
    bl_options = {'UNDO'}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return _import(self, context, [self.import_id])


class ImportAll(Running, bpy.types.Operator):
    """Import all exports that are shown here into the scene"""
    bl_idname = 'bridge_hub.import_all'
    bl_label = 'Import All'
    bl_options = {'UNDO'}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return _import(self, context, [item.import_id for item in session.queue.items()])


def _import(operator: bpy.types.Operator, context: bpy.types.Context, import_ids: list) -> Set[str]:
    """One report of each level: more would be more popups."""
    outcomes = [importing.run(context, item) for item in map(session.queue.get, import_ids) if item is not None]
    if not outcomes:
        operator.report({'WARNING'}, 'This export is not here any more')
    for level, texts in [('INFO', [outcome.summary for outcome in outcomes]),
                         ('WARNING', [text for outcome in outcomes for text in outcome.warnings]),
                         ('ERROR', [outcome.error for outcome in outcomes])]:
        if any(texts):
            operator.report({level}, first_lines('\n'.join(filter(None, texts))))
    return {'FINISHED'} if any(outcome.changed for outcome in outcomes) else {'CANCELLED'}


class Discard(OfImport, bpy.types.Operator):
    """Do not import this export. It is parked, and can be brought back from there"""
    bl_idname = 'bridge_hub.discard'
    bl_label = 'Discard'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        session.discard([self.import_id])
        return {'FINISHED'}


class DiscardAll(Running, bpy.types.Operator):
    """Do not import the exports that are shown here. They are parked, and can be brought back from there"""
    bl_idname = 'bridge_hub.discard_all'
    bl_label = 'Discard All'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        session.discard(item.import_id for item in session.queue.items())
        return {'FINISHED'}


class Retry(OfImport, bpy.types.Operator):
    """Send this export again, to the active window"""
    bl_idname = 'bridge_hub.retry'
    bl_label = 'Retry'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return _decide(self, session.retry)


class Drop(OfImport, bpy.types.Operator):
    """Remove this export for good. Bridge can export it again"""
    bl_idname = 'bridge_hub.drop'
    bl_label = 'Remove the Export for Good'

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return _decide(self, session.drop)


def _decide(operator: bpy.types.Operator, decision: object) -> Set[str]:
    try:
        decision(operator.import_id)
    except LibraryError as error:
        operator.report({'ERROR'}, str(error))
        return {'CANCELLED'}
    return {'FINISHED'}


class ForgetError(bpy.types.Operator):
    """Take this message away"""
    bl_idname = 'bridge_hub.forget_error'
    bl_label = 'Dismiss'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        session.show_error('')
        session.refresh()
        return {'FINISHED'}


class Start(bpy.types.Operator):
    """Connect this Blender window to Bridge Hub"""
    bl_idname = 'bridge_hub.start'
    bl_label = 'Start Bridge Hub'

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not session.runs

    def execute(self, context: bpy.types.Context) -> Set[str]:
        session.start()
        if session.why_not:
            self.report({'ERROR'}, session.why_not)
            return {'CANCELLED'}
        return {'FINISHED'}


class Restart(Running, bpy.types.Operator):
    """Connect this Blender window to Bridge Hub anew"""
    bl_idname = 'bridge_hub.restart'
    bl_label = 'Reconnect'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        session.restart()
        return {'FINISHED'}


class CopyDiagnostics(bpy.types.Operator):
    """Copy all that somebody who helps wants to know: versions, settings, status, and the end of the log"""
    bl_idname = 'bridge_hub.copy_diagnostics'
    bl_label = 'Copy Diagnostics'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        context.window_manager.clipboard = diagnostics.text()
        self.report({'INFO'}, 'Diagnostics are on the clipboard')
        return {'FINISHED'}


class OpenLog(bpy.types.Operator):
    """Open the log file of Bridge Hub, which all windows share"""
    bl_idname = 'bridge_hub.open_log'
    bl_label = 'Open Log'

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.log is not None

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return bpy.ops.wm.path_open(filepath=session.log.path)


class OpenPreferences(bpy.types.Operator):
    """Show the preferences of Bridge Hub"""
    bl_idname = 'bridge_hub.open_preferences'
    bl_label = 'Bridge Hub Preferences'

    def execute(self, context: bpy.types.Context) -> Set[str]:
        return bpy.ops.preferences.addon_show(module=__package__)


CLASSES = (LaunchAndClaim, Claim, Release, Import, ImportAll, Discard, DiscardAll, Retry, Drop, ForgetError, Start,
           Restart, CopyDiagnostics, OpenLog, OpenPreferences)
