# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip as an extension: what Blender 4.2 and later ask of blender_manifest.toml, in their manual and when they build one."""
import ast
import glob
import os
import re
import tomllib
import unittest
import zipfile

import place

REQUIRED = {'schema_version', 'id', 'version', 'name', 'tagline', 'maintainer', 'type', 'blender_version_min', 'license'}
OPTIONAL = {'blender_version_max', 'website', 'copyright', 'permissions', 'tags', 'platforms', 'wheels', 'build'}
TERSE_MAX = 64
PERMISSIONS = {'files', 'network', 'clipboard', 'camera', 'microphone'}
PLATFORMS = {'windows-x64', 'windows-arm64', 'macos-x64', 'macos-arm64', 'linux-x64', 'linux-arm64'}
TAGS = {'3D View', 'Add Curve', 'Add Mesh', 'Animation', 'Bake', 'Camera', 'Compositing', 'Development', 'Game Engine', 'Geometry Nodes',
        'Grease Pencil', 'Import-Export', 'Lighting', 'Material', 'Mesh', 'Modeling', 'Node', 'Object', 'Paint', 'Pipeline', 'Physics',
        'Render', 'Rigging', 'Scene', 'Sculpt', 'Sequencer', 'System', 'Text Editor', 'Tracking', 'User Interface', 'UV'}
# What an add-on on Blender's platform must have: it is a part of Blender when it runs.
LICENCES = {'SPDX:GPL-3.0-or-later'}
SEMANTIC = re.compile(r'(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?')


def modules():
    """(path, text) of each of the add-on's."""
    for path in sorted(glob.glob(os.path.join(place.TOP, 'addon/bridge_hub/*.py'))):
        with open(path, encoding='utf-8') as file:
            yield path, file.read()


def terse(text):
    """What is wrong with a text of the kind that a tagline is; nothing where it is right."""
    wrong = []
    if not 0 < len(text) <= TERSE_MAX:
        wrong.append('%d characters' % len(text))
    if text != text.strip() or not text.isprintable():
        wrong.append('space around it, or control characters')
    if not (text[-1:].isalnum() or text[-1:] in (')', ']', '}')):
        wrong.append('punctuation at its end')
    return ['%s: %s' % (text, each) for each in wrong]


def complaints(manifest):
    """By Blender's rules."""
    found = ['%s is missing' % name for name in sorted(REQUIRED - set(manifest))]
    found += ['%s is unknown' % name for name in sorted(set(manifest) - REQUIRED - OPTIONAL)]
    for name in ('schema_version', 'version'):
        if not SEMANTIC.fullmatch(manifest.get(name, '')):
            found.append('%s is no semantic version' % name)
    identity = manifest.get('id', '')
    if not identity.isidentifier() or '__' in identity or identity != identity.strip('_'):
        found.append('id %s is none' % identity)
    if not re.fullmatch(r'\d+\.\d+\.\d+', manifest.get('blender_version_min', '')):
        found.append('blender_version_min is not three numbers')
    for name in ('name', 'maintainer'):
        if not manifest.get(name, '').strip() or not manifest[name].isprintable():
            found.append('%s is empty or has control characters' % name)
    found += terse(manifest.get('tagline', ''))
    for permission, reason in manifest.get('permissions', {}).items():
        found += terse(reason) + ['no permission %s' % permission] * (permission not in PERMISSIONS)
    for name, known in (('platforms', PLATFORMS), ('tags', TAGS), ('license', LICENCES)):
        listed = manifest.get(name, ['none'] if name != 'license' else [])
        found += ['%s: %s' % (name, each) for each in listed if each not in known] + ['%s is empty' % name] * (not listed)
    return found + ['type %s' % manifest.get('type')] * (manifest.get('type') != 'add-on')


class Manifest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path, = glob.glob(os.path.join(place.TOP, 'build/addon/bridge_hub-*-linux-*.zip'))
        with zipfile.ZipFile(cls.path) as archive:
            cls.names = archive.namelist()
            cls.text = archive.read('bridge_hub/blender_manifest.toml').decode()
            cls.source = archive.read('bridge_hub/__init__.py').decode()
        cls.manifest = tomllib.loads(cls.text)

    def test_blender_s_rules_are_kept(self):
        self.assertEqual(complaints(self.manifest), [])

    def test_the_rules_find_what_is_wrong(self):
        for name, value, text in [
                ('tagline', 'Ends in a full stop.', 'punctuation'), ('tagline', 'x' * 65, '65 characters'), ('id', '_hub', 'id _hub'),
                ('version', '0.1', 'version is no'), ('blender_version_min', '4.2', 'three numbers'), ('license', [], 'license is empty'),
                ('license', ['GPL'], 'license: GPL'), ('platforms', ['linux'], 'platforms: linux'), ('tags', ['Bridge'], 'tags: Bridge'),
                ('permissions', {'disk': 'To write'}, 'no permission disk'), ('permissions', {'files': 'To read.'}, 'punctuation'),
                ('maintainer', ' ', 'maintainer is empty'), ('type', 'addon', 'type addon'), ('colour', 'red', 'colour is unknown')]:
            self.assertIn(text, '\n'.join(complaints({**self.manifest, name: value})))
        self.assertLess({'%s is missing' % name for name in REQUIRED}, set(complaints({})))

    def test_what_asks_for_a_permission_has_it(self):
        sources = '\n'.join(source for _, source in modules())
        for permission, sign in (('clipboard', '.clipboard = '), ('network', 'bh_instance_start'), ('files', 'open(')):
            self.assertEqual(permission in self.manifest['permissions'], sign in sources, permission)

    def test_it_says_the_same_as_bl_info(self):
        bl_info = next(ast.literal_eval(node.value) for node in ast.parse(self.source).body
                       if isinstance(node, ast.Assign) and node.targets[0].id == 'bl_info')
        self.assertEqual(self.manifest['version'], '.'.join(map(str, bl_info['version'])))
        self.assertEqual((self.manifest['name'], self.manifest['maintainer'], self.manifest['tags']),
                         (bl_info['name'], bl_info['author'], [bl_info['category']]))

    def test_its_files_are_in_one_folder_and_its_platform_is_that_of_its_name(self):
        self.assertEqual({name.split('/')[0] for name in self.names}, {self.manifest['id']})
        self.assertEqual(len({name.lower() for name in self.names}), len(self.names))
        self.assertTrue(self.path.endswith('-%s.zip' % self.manifest['platforms'][0]))


class Python(unittest.TestCase):
    def test_the_oldest_blender_s_python_reads_every_module(self):
        """Blender 2.93 has Python 3.9."""
        for path, source in modules():
            ast.parse(source, path, feature_version=(3, 9))

    def test_annotations_are_not_evaluated_where_they_are_of_a_later_python(self):
        """`X | None` is an expression that Python 3.9 cannot do."""
        for path, source in modules():
            postponed = 'from __future__ import annotations' in source
            unions = [ast.unparse(each) for node in ast.walk(ast.parse(source))
                      for each in (getattr(node, 'annotation', None), getattr(node, 'returns', None))
                      if each is not None and any(isinstance(part, ast.BitOr) for part in ast.walk(each))]
            self.assertTrue(postponed or not unions, '%s: %s' % (path, unions))


if __name__ == '__main__':
    unittest.main()
