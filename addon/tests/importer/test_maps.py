# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file stands for which map, without Blender."""
import os
import tempfile
import unittest

import package  # noqa: F401

from bridge_hub import maps
from bridge_hub.payload import PackedTexture, Texture


def choose(*textures, packed=(), lost=(), **more):
    return maps.choose(textures, packed, problem=lambda path: 'is not on disk' if path in lost else '', **more)


class Choice(unittest.TestCase):
    def test_color_is_by_role_whatever_the_payload_says(self):
        found, _ = choose(Texture('albedo', 'a.jpg', color_space='linear'),
                          Texture('normal', 'n.jpg', color_space='srgb'), Texture('roughness', 'r.jpg'),
                          Texture('translucency', 't.jpg'))
        self.assertEqual({role: map_.data for role, map_ in found.items()}, {
            'albedo': False, 'normal': True, 'roughness': True, 'translucency': False})

    def test_what_is_lost_is_named_and_the_next_of_its_role_taken(self):
        found, said = choose(Texture('albedo', 'a.jpg'), Texture('albedo', 'b.jpg'), lost=['a.jpg'])
        self.assertEqual(found['albedo'].path, 'b.jpg')
        self.assertEqual(said, ['Albedo map is not on disk: a.jpg'])

    def test_maps_without_a_use_are_not_missed(self):
        self.assertEqual(choose(Texture('curvature', 'c.jpg'), Texture('normalobject', 'n.jpg'),
                                lost=['c.jpg', 'n.jpg']), ({}, []))

    def test_displacement_of_more_bits(self):
        found, _ = choose(Texture('displacement', 'd.jpg'), Texture('displacement', 'd.exr'))
        self.assertEqual(found['displacement'].path, 'd.exr')

    def test_the_normal_map_of_the_lod(self):
        normals = [Texture('normal', 'n_LOD%d.jpg' % lod) for lod in range(3)] + [Texture('normal', 'n.jpg')]
        self.assertEqual(choose(*normals, lod='lod1')[0]['normal'].path, 'n_LOD1.jpg')
        self.assertEqual(choose(*normals, lod='high')[0]['normal'].path, 'n.jpg')

    def test_texture_sets(self):
        both = [Texture('albedo', 'a.jpg', sets=('A',)), Texture('albedo', 'b.jpg', sets=('B',)),
                Texture('ao', 'o.jpg')]
        found, _ = choose(*both, sets=('B',))
        self.assertEqual({role: map_.path for role, map_ in found.items()}, {'albedo': 'b.jpg', 'ao': 'o.jpg'})


class Packed(unittest.TestCase):
    ORM = PackedTexture('ORM', 'orm.jpg', (('Red', 'ao'), ('Green', 'roughness'), ('Blue', 'metalness')))

    def test_channels(self):
        found, _ = choose(Texture('roughness', 'r.jpg'), Texture('albedo', 'a.jpg'), packed=[self.ORM])
        self.assertEqual({role: (map_.path, map_.channel, map_.data) for role, map_ in found.items()}, {
            'ao': ('orm.jpg', 'Red', True), 'roughness': ('orm.jpg', 'Green', True),
            'metalness': ('orm.jpg', 'Blue', True), 'albedo': ('a.jpg', 'Color', False)})

    def test_a_lost_one_leaves_the_single_textures(self):
        found, said = choose(Texture('roughness', 'r.jpg'), packed=[self.ORM], lost=['orm.jpg'])
        self.assertEqual((found['roughness'].path, said), ('r.jpg', ['Packed texture is not on disk: orm.jpg']))

    def test_color_with_opacity(self):
        packed = PackedTexture('AO', 'ao.png',
                               (('Red', 'albedo'), ('Green', 'albedo'), ('Blue', 'albedo'), ('Alpha', 'opacity')))
        found, _ = choose(packed=[packed])
        self.assertEqual((found['albedo'].channel, found['albedo'].data), ('Color', False))
        self.assertEqual((found['opacity'].channel, found['opacity'].path), ('Alpha', 'ao.png'))

    def test_a_normal_map_of_two_channels(self):
        packed = PackedTexture('NR', 'nr.png', (('Red', 'normal'), ('Green', 'normal'), ('Blue', 'roughness')))
        found, _ = choose(packed=[packed])
        self.assertEqual((found['normal'].pair, found['roughness'].channel, found['normal'].data),
                         (('Red', 'Green'), 'Blue', True))

    def test_one_that_does_not_tell_its_channels(self):
        found, said = choose(packed=[PackedTexture('X', 'x.png', ())])
        self.assertEqual((found, said), ({}, ['Packed texture does not say what lies in its channels: x.png']))


JPEG = b'\xff\xd8\xff\xe0' + bytes(100000) + b'\xff\xd9'
PNG = b'\x89PNG\r\n\x1a\n' + bytes(100000) + b'IEND\xae\x42\x60\x82'


class Trouble(unittest.TestCase):
    def test_files(self):
        with tempfile.TemporaryDirectory() as directory:
            for name, octets, expected in (('empty.jpg', b'', 'is empty'), ('page.jpg', b'<html>', 'is no JPG file'),
                                           ('good.jpg', JPEG, ''), ('any.tga', b'x', ''),
                                           ('renamed.jpg', PNG, ''), ('jpg.exr', JPEG, ''),
                                           ('padded.jpg', JPEG + bytes(999), ''), ('half.jpg', JPEG[:-2], 'is cut off'),
                                           ('half.png', PNG[:-8], 'is cut off'), ('half_png.jpg', PNG[:-8], 'is cut off'),
                                           ('cut.exr', b'v/', 'is no EXR file')):
                path = os.path.join(directory, name)
                with open(path, 'wb') as file:
                    file.write(octets)
                self.assertEqual(maps.trouble(path), expected)
            self.assertEqual(maps.trouble(directory), 'is not on disk')


if __name__ == '__main__':
    unittest.main()
