# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests in Blender share: an empty file for each test, one library for a class, and questions about materials."""
import json
import unittest

import bpy
import library
import package  # noqa: F401

from bridge_hub import importer, payload
from bridge_hub.nodes import socket
from bridge_hub.options import ImportOptions


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        cls.library = library.Library()

    @classmethod
    def tearDownClass(cls):
        cls.library.remove()

    def setUp(self):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    def run_import(self, records, progress=lambda fraction, text: None, **options):
        assets = payload.parse(records if isinstance(records, str) else json.dumps(records))
        return importer.import_payload(bpy.context, assets, ImportOptions(**options), progress)

    def imported(self, records, **options):
        """The results of assets that must all come in, and without a complaint."""
        results = self.run_import(records, **options)
        for result in results:
            self.assertIsNone(result.error)
            self.assertEqual(result.warnings, [])
        return results

    def add_cube(self, name='Cube', location=(0, 0, 0)):
        bpy.ops.mesh.primitive_cube_add(location=location)
        bpy.context.object.name = name
        return bpy.context.object

    # --- materials ----------------------------------------------------------------------------------------------------

    def principled(self, material):
        found = [node for node in material.node_tree.nodes if node.type == 'BSDF_PRINCIPLED']
        self.assertEqual(len(found), 1)
        return found[0]

    def feeds(self, material, name):
        """{map: channel} of all images that flow into this input of the Principled BSDF."""
        return self.feeds_of(socket(self.principled(material).inputs, name))

    def feeds_of(self, target):
        """The textures, by the map in their file's name."""
        found = set()
        for link in target.links:
            node = link.from_node
            if node.type == 'TEX_IMAGE':
                found.add((node.image.filepath.rsplit('_', 1)[-1].split('.')[0], link.from_socket.name))
            elif node.type in ('SEPARATE_COLOR', 'SEPRGB'):
                found |= {(role, link.from_socket.name) for role, _ in self.feeds_of(node.inputs[0])}
            else:
                found |= set().union(*(self.feeds_of(each) for each in node.inputs if each.name != 'Vector'))
        return found

    def images(self, material):
        return {node.image.filepath.rsplit('_', 1)[-1].split('.')[0]: node.image
                for node in material.node_tree.nodes if node.type == 'TEX_IMAGE'}
