# SPDX-License-Identifier: GPL-3.0-or-later
"""A Principled BSDF material from the maps of an asset, or the one that an earlier import made of them."""
from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Mapping

import bpy

from . import textures
from .maps import FULL, Map
from .nodes import Tree, socket
from .options import ImportOptions

OWNER = 'bridge_hub_asset'
# What the material was made from, and the files that its nodes had when it was made.
LOOK_OF = 'bridge_hub_look'
FILES = 'bridge_hub_files'

# Reflectance at normal incidence: a dielectric has at most 0.08 (which is Specular 1.0), a metal at least about 0.35.
DIELECTRIC_MAX, METAL_MIN = 0.1, 0.35
SPECULAR_MAX = 0.08
TRANSLUCENT = 0.5
BUMP_DISTANCE, BUMP_STRENGTH = 0.01, 0.3
DEFAULT_HEIGHT = 0.01
HEIGHT_MAX = 1.0

IMAGES, INPUTS, VALUES, SHADER, RESULT = -4, -2.8, -1.6, 0, 1.8


@dataclass(frozen=True)
class Look:
    """What decides on the material besides the maps. `soft` is for edges that fade, as a decal has them; `true_height`
    is how far, in metres, the displacement map reaches from black to white where that is known."""
    workflow: str = ''
    color: tuple[float, float, float] | None = None
    true_height: float | None = None
    glass: bool = False
    soft: bool = False


def get_or_build(name: str, asset: str, maps: Mapping[str, Map], look: Look,
                 options: ImportOptions) -> bpy.types.Material:
    look_of = _digest(maps, look, options)
    for material in bpy.data.materials:
        if (material.library is None and material.get(OWNER) == asset and material.get(LOOK_OF) == look_of
                and _still_matches(material)):
            for image in textures.of_tree(material.node_tree):
                textures.refresh(image)
            return material
    material = bpy.data.materials.new(name)
    try:
        _Builder(material, asset, maps, look, options).build()
    except Exception:
        bpy.data.materials.remove(material)
        raise
    material[OWNER] = asset
    material[LOOK_OF] = look_of
    material[FILES] = json.dumps(sorted(_files(material)))
    return material


def _digest(maps: Mapping[str, Map], look: Look, options: ImportOptions) -> str:
    choices = {name: value for name, value in asdict(options).items()
               if name.startswith('use_') or name == 'flip_green'}
    said = [sorted((role, asdict(map_)) for role, map_ in maps.items()), asdict(look), choices]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _files(material: bpy.types.Material) -> set[str]:
    return {textures.path_of(image) for image in textures.of_tree(material.node_tree)}


def _still_matches(material: bpy.types.Material) -> bool:
    """An artist may have changed it, and then it is theirs: what counts is that all its textures are still in it."""
    try:
        files = json.loads(material.get(FILES, ''))
    except (TypeError, ValueError):
        return False
    if not isinstance(files, list):
        return False
    there = _files(material) if material.node_tree else set()
    return all(any(textures.same_path(file, other) for other in there) for file in files)


def linear(color: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """A colour as it stands on the screen (sRGB), for a socket."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return (parts[0], parts[1], parts[2], 1.0)


def set_transparency(material: Any, cut_out: bool, soft: bool, refracts: bool) -> None:
    """How EEVEE draws what is not opaque: Blender 4.2 has two methods in the place of the four of before."""
    if hasattr(material, 'surface_render_method'):
        if cut_out:
            material.surface_render_method = 'BLENDED' if soft else 'DITHERED'
        if hasattr(material, 'use_raytrace_refraction'):
            material.use_raytrace_refraction = refracts
        return
    if cut_out:
        material.blend_method = material.shadow_method = 'HASHED' if soft else 'CLIP'
    material.use_screen_refraction = refracts


class _Builder:
    def __init__(self, material: Any, asset: str, maps: Mapping[str, Map], look: Look, options: ImportOptions) -> None:
        if not (bpy.app.version >= (5, 0, 0) and material.node_tree):
            material.use_nodes = True
        material.node_tree.nodes.clear()
        self.material, self.asset, self.maps, self.look, self.options = material, asset, maps, look, options
        self.tree = Tree(material.node_tree)
        self.images: dict[tuple[str, bool], Any] = {}
        self.separated: dict[tuple[str, bool], Any] = {}
        self.vector: Any = None
        self.metal: Any = None

    def build(self) -> None:
        tree = self.tree
        self.shader = tree.add('ShaderNodeBsdfPrincipled', SHADER, 0)
        self.output = tree.add('ShaderNodeOutputMaterial', RESULT, 0)
        self._base_color()
        self._metallic()
        self._specular()
        self._roughness()
        self._normal()
        self._sheen()
        self._transmission()
        opacity = self._opacity()
        surface = self._translucency(opacity) or self.shader.outputs['BSDF']
        tree.link(surface, self.output, 'Surface')
        self._displacement()
        refracts = self.look.glass or 'transmission' in self.maps
        set_transparency(self.material, opacity is not None, self.look.soft, refracts)

    # --- where values come from ---------------------------------------------------------------------------------------

    def _coordinates(self) -> Any:
        """One node scales all textures together."""
        if self.vector is None:
            coordinates = self.tree.add('ShaderNodeTexCoord', IMAGES - 1.6, 0)
            mapping = self.tree.add('ShaderNodeMapping', IMAGES - 0.8, 0, 'Tiling')
            self.tree.link(coordinates.outputs['UV'], mapping, 'Vector')
            self.vector = mapping.outputs['Vector']
        return self.vector

    def _image(self, map_: Map) -> Any:
        """A packed texture is one node for all that lies in it. A file that stands for a colour and for data is two."""
        key = (map_.path, map_.data)
        if key not in self.images:
            role = 'packed' if map_.packed else map_.role
            node = self.tree.add('ShaderNodeTexImage', IMAGES, len(self.images), role.capitalize())
            node.image = textures.load(self.asset, role, map_.path, map_.data)
            self.tree.link(self._coordinates(), node, 'Vector')
            self.images[key] = node
        return self.images[key]

    def _channel(self, map_: Map, channel: str) -> Any:
        node = self._image(map_)
        if channel in (FULL, 'Alpha'):
            return node.outputs[channel]
        key = (map_.path, map_.data)
        if key not in self.separated:
            self.separated[key] = self.tree.separate(IMAGES + 0.8, len(self.images) - 1, node.outputs['Color'])
        return socket(self.separated[key].outputs, channel)

    def _value(self, role: str) -> Any:
        """The output that has this map; None where the asset has none."""
        return self._channel(self.maps[role], self.maps[role].channel) if role in self.maps else None

    # --- what becomes of them -----------------------------------------------------------------------------------------

    def _specular_workflow(self) -> bool:
        """With a map of metalness nothing needs to be derived, whatever the payload calls its workflow."""
        return 'specular' in self.maps and 'metalness' not in self.maps and self.look.workflow != 'metalness'

    def _metal(self) -> Any:
        """Metalness from a map of specular colour: only a metal reflects that much."""
        if self.metal is None:
            node = self.tree.add('ShaderNodeMapRange', INPUTS, 1, 'Specular to Metalness')
            self.tree.link(self._value('specular'), node, 'Value')
            for name, value in (('From Min', DIELECTRIC_MAX), ('From Max', METAL_MIN)):
                socket(node.inputs, name).default_value = value
            self.metal = node.outputs[0]
        return self.metal

    def _base_color(self) -> None:
        color = self._value('albedo')
        if color is None and 'diffuse' in self.maps:
            color = self._value('diffuse')
            if self._specular_workflow():
                # Diffuse is black where metal is; the metal's colour is in the specular map. Albedo has both.
                metal = self._value('specular')
                color = self.tree.mix(INPUTS, 0, 'Diffuse and metal', 'MIX', color, metal, self._metal())
        if color is None:
            if self.look.color:
                socket(self.shader.inputs, 'Base Color').default_value = linear(self.look.color)
            return
        for chosen, role, label, row in ((self.options.use_ao, 'ao', 'Multiply AO', 0),
                                         (self.options.use_cavity, 'cavity', 'Multiply Cavity', -1)):
            if chosen and role in self.maps:
                color = self.tree.mix(VALUES, row, label, 'MULTIPLY', color, self._value(role))
        self.tree.link(color, self.shader, 'Base Color')

    def _metallic(self) -> None:
        if 'metalness' in self.maps:
            self.tree.link(self._value('metalness'), self.shader, 'Metallic')
        elif self._specular_workflow():
            self.tree.link(self._metal(), self.shader, 'Metallic')

    def _specular(self) -> None:
        if 'specular' not in self.maps:
            return
        node = self.tree.add('ShaderNodeMath', VALUES, 2, 'Reflectance to Specular', operation='DIVIDE', use_clamp=True)
        self.tree.tree.links.new(self._value('specular'), node.inputs[0])
        node.inputs[1].default_value = SPECULAR_MAX
        self.tree.link(node.outputs[0], self.shader, 'Specular')

    def _roughness(self) -> None:
        rough = self._value('roughness')
        if rough is None and 'gloss' in self.maps:
            rough = self.tree.invert(VALUES, 3, 'Gloss to Roughness', self._value('gloss'))
        if rough is not None:
            self.tree.link(rough, self.shader, 'Roughness')

    def _normal_color(self) -> Any:
        map_ = self.maps['normal']
        if not map_.pair and not self.options.flip_green:
            return self._value('normal')
        if map_.pair:
            red, green, blue = self._channel(map_, map_.pair[0]), self._channel(map_, map_.pair[1]), 1.0
        else:
            parts = self.tree.separate(INPUTS, 4, self._value('normal'))
            red, green, blue = (socket(parts.outputs, name) for name in ('Red', 'Green', 'Blue'))
        if self.options.flip_green:
            green = self.tree.invert(INPUTS + 0.6, 4.5, 'DirectX to OpenGL', green)
        return self.tree.combine(INPUTS + 1.2, 4, red, green, blue)

    def _normal(self) -> None:
        """Bump stands in where there is no normal map, and the displacement where there is no bump and it displaces
        nothing."""
        normal = None
        if 'normal' in self.maps:
            node = self.tree.add('ShaderNodeNormalMap', VALUES, 4)
            self.tree.link(self._normal_color(), node, 'Color')
            normal = node.outputs['Normal']
        height = 'bump' if 'bump' in self.maps else 'displacement' if not self.options.use_displacement else ''
        if height in self.maps and (normal is None or self.options.use_bump and height == 'bump'):
            node = self.tree.add('ShaderNodeBump', VALUES + 0.8, 4)
            socket(node.inputs, 'Strength').default_value = BUMP_STRENGTH
            socket(node.inputs, 'Distance').default_value = BUMP_DISTANCE
            self.tree.link(self._value(height), node, 'Height')
            if normal is not None:
                self.tree.link(normal, node, 'Normal')
            normal = node.outputs['Normal']
        if normal is not None:
            self.tree.link(normal, self.shader, 'Normal')

    def _sheen(self) -> None:
        """In Blender 4.0 the tint became a colour; before, it is how much of the base colour it takes."""
        fuzz = self._value('fuzz')
        if fuzz is None:
            return
        self.tree.link(fuzz, self.shader, 'Sheen')
        tint = socket(self.shader.inputs, 'Sheen Tint')
        if tint is not None and tint.type == 'RGBA':
            self.tree.link(fuzz, self.shader, 'Sheen Tint')

    def _transmission(self) -> None:
        through = socket(self.shader.inputs, 'Transmission')
        if self.look.glass:
            through.default_value = 1.0
        elif 'transmission' in self.maps:
            self.tree.link(self._value('transmission'), self.shader, 'Transmission')

    def _opacity(self) -> Any:
        opacity = self._value('opacity')
        if opacity is not None:
            self.tree.link(opacity, self.shader, 'Alpha')
        return opacity

    def _translucency(self, opacity: Any) -> Any:
        """Light through a leaf. It must not show where the leaf is cut out: there the Principled BSDF's alpha is
        alone."""
        if not self.options.use_translucency or 'translucency' not in self.maps:
            return None
        through = self.tree.add('ShaderNodeBsdfTranslucent', SHADER, 2.6)
        self.tree.link(self._value('translucency'), through, 'Color')
        normal = socket(self.shader.inputs, 'Normal')
        if normal.is_linked:
            self.tree.link(normal.links[0].from_socket, through, 'Normal')
        mix = self.tree.add('ShaderNodeMixShader', SHADER + 1, 0, 'Translucency')
        if opacity is None:
            mix.inputs[0].default_value = TRANSLUCENT
        else:
            share = self.tree.add('ShaderNodeMath', SHADER, 3.2, 'Share', operation='MULTIPLY')
            self.tree.tree.links.new(opacity, share.inputs[0])
            share.inputs[1].default_value = TRANSLUCENT
            self.tree.tree.links.new(share.outputs[0], mix.inputs[0])
        self.tree.tree.links.new(self.shader.outputs['BSDF'], mix.inputs[1])
        self.tree.tree.links.new(through.outputs['BSDF'], mix.inputs[2])
        return mix.outputs['Shader']

    def _displacement(self) -> None:
        if not self.options.use_displacement or 'displacement' not in self.maps:
            return
        node = self.tree.add('ShaderNodeDisplacement', SHADER, 4)
        self.tree.link(self._value('displacement'), node, 'Height')
        socket(node.inputs, 'Midlevel').default_value = 0.5
        socket(node.inputs, 'Scale').default_value = min(self.look.true_height or DEFAULT_HEIGHT, HEIGHT_MAX)
        self.tree.link(node.outputs['Displacement'], self.output, 'Displacement')
        # Bump from the same heights would be seen twice where there is a normal map.
        method = 'DISPLACEMENT' if socket(self.shader.inputs, 'Normal').is_linked else 'BOTH'
        # Blender 4.1 moved it out of what is Cycles' own.
        own = hasattr(self.material, 'displacement_method')
        owner = self.material if own else getattr(self.material, 'cycles', None)
        if owner is not None:
            owner.displacement_method = method
