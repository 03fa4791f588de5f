# SPDX-License-Identifier: GPL-3.0-or-later
"""A Megascans library in a directory: the payloads of spec/payloads/ with paths into it, and the meshes and textures
they name, made by Blender itself."""
import json
import os
import shutil
import tempfile

import bpy
import package

WINDOWS = ('C:\\Users\\artist\\Documents\\Megascans Library\\', 'C:\\Users\\Jürgen\\Documents\\Megascans Library\\')

# Square or wide: what each map is, in the values that the file holds.
COLORS = {
    'albedo': (0.6, 0.4, 0.2), 'diffuse': (0.5, 0.4, 0.3), 'ao': (0.8, 0.8, 0.8), 'normal': (0.5, 0.5, 1.0),
    'roughness': (0.7, 0.7, 0.7), 'gloss': (0.3, 0.3, 0.3), 'specular': (0.22, 0.22, 0.22), 'opacity': (1.0, 1.0, 1.0),
    'translucency': (0.3, 0.6, 0.1), 'metalness': (0.0, 0.0, 0.0), 'ORM': (0.8, 0.7, 0.0),
}
GREY = (0.5, 0.5, 0.5)
FORMATS = {'.jpg': 'JPEG', '.jpeg': 'JPEG', '.png': 'PNG', '.exr': 'OPEN_EXR', '.tga': 'TARGA'}

# How many cuts a mesh of each LOD has, so that a test can tell which was read.
CUTS = {'high': 12, 'lod0': 10, 'lod1': 8, 'lod2': 6, 'lod3': 4, 'lod4': 3, 'lod5': 2}


def vertices(lod):
    return (CUTS[lod] + 1) ** 2


class Library:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='bridge_hub-')
        self.templates = {}

    def remove(self):
        shutil.rmtree(self.directory)

    # --- payloads -----------------------------------------------------------------------------------------------------

    def records(self, name):
        """A payload as Bridge sends it, with paths of this system."""
        with open(os.path.join(package.PAYLOADS, name + '.json'), encoding='utf-8') as file:
            return self._moved(json.load(file))

    def _moved(self, value):
        if isinstance(value, dict):
            return {key: self._moved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._moved(item) for item in value]
        for start in WINDOWS if isinstance(value, str) else ():
            if value.startswith(start):
                return os.path.join(self.directory, value[len(start):].replace('\\', '/'))
        return value

    def fill(self, records, size=(8, 8)):
        """Makes each file that the payload names; gives the payload."""
        for record in records:
            for item in record['components'] + record['components-billboard'] + record['packedTextures']:
                self.texture(item['path'], item['type'], size)
            for item in record['lodList'] + record['meshList']:
                self.mesh(item['path'], item.get('lod') or record['activeLOD'])
        return records

    def payload(self, name, size=(8, 8)):
        return self.fill(self.records(name), size)

    # --- files --------------------------------------------------------------------------------------------------------

    def _copy(self, key, path, make):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if key not in self.templates:
            self.templates[key] = os.path.join(self.directory,
                                               'template-%d%s' % (len(self.templates), os.path.splitext(path)[1]))
            make(self.templates[key])
        shutil.copyfile(self.templates[key], path)
        return path

    def texture(self, path, role, size=(8, 8), color=None):
        color = color or COLORS.get(role, GREY)
        return self._copy(('texture', os.path.splitext(path)[1], color, size), path,
                          lambda to: _write_image(to, color, size))

    def mesh(self, path, lod='lod0', size=1.2, **arguments):
        key = ('mesh', os.path.splitext(path)[1], lod, size, json.dumps(arguments))
        return self._copy(key, path, lambda to: write_mesh(to, lambda: grid(lod, size), **arguments))


def _write_image(path, color, size):
    extension = os.path.splitext(path)[1].lower()
    image = bpy.data.images.new('made', *size, alpha=True, float_buffer=extension == '.exr')
    image.pixels = [*color, 1.0] * (size[0] * size[1])
    image.filepath_raw = path
    image.file_format = FORMATS[extension]
    image.save()
    bpy.data.images.remove(image)


def grid(lod, size):
    """In a unit of the caller's choice, with a UV map; two material slots if the size is not that of a plant."""
    cuts = CUTS[lod]
    step = size / cuts
    corners = [(x * step - size / 2, y * step - size / 2, 0.1 * size * (x % 2)) for y in range(cuts + 1)
               for x in range(cuts + 1)]
    faces = [(x + y * (cuts + 1), x + 1 + y * (cuts + 1), x + 1 + (y + 1) * (cuts + 1), x + (y + 1) * (cuts + 1))
             for y in range(cuts) for x in range(cuts)]
    mesh = bpy.data.meshes.new('made')
    mesh.from_pydata(corners, [], faces)
    layer = mesh.uv_layers.new(name='UVMap')
    for face in mesh.polygons:
        for loop, corner in zip(face.loop_indices, face.vertices):
            layer.data[loop].uv = (corners[corner][0] / size + 0.5, corners[corner][1] / size + 0.5)
    made = bpy.data.objects.new('made_' + lod, mesh)
    return [made]


def write_mesh(path, build, **arguments):
    """Exports what `build` gives, and leaves the file that is open as it was."""
    kept = [(found, found.select_get()) for found in bpy.context.view_layer.objects]
    active = bpy.context.view_layer.objects.active
    made = build()
    for found, _ in kept:
        found.select_set(False)
    for found in made:
        bpy.context.scene.collection.objects.link(found)
        found.select_set(True)
    extension = os.path.splitext(path)[1].lower()
    if extension == '.fbx':
        bpy.ops.export_scene.fbx(filepath=path, use_selection=True, bake_anim=False, **arguments)
    elif extension == '.obj':
        bpy.ops.wm.obj_export(filepath=path, export_selected_objects=True, export_materials=False, **arguments)
    else:
        format_ = 'GLB' if extension == '.glb' else 'GLTF_EMBEDDED'
        bpy.ops.export_scene.gltf(filepath=path, use_selection=True, export_format=format_, **arguments)
    data = {found.data for found in made if found.data}
    materials = {slot.material for found in made for slot in found.material_slots if slot.material}
    for found in made:
        bpy.data.objects.remove(found)
    for item in data:
        (bpy.data.meshes if isinstance(item, bpy.types.Mesh) else bpy.data.lights).remove(item)
    for item in materials:
        bpy.data.materials.remove(item)
    for found, selected in kept:
        found.select_set(selected)
    bpy.context.view_layer.objects.active = active
