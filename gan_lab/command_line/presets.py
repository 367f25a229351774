"""What a model or a recipe sets in a component goes with the component.

A preset is merged last, so that its settings stand over those of the components that it chooses. Where another is
chosen in the place of one, on the command line or by a recipe over a model, Hydra alone would merge them all the same:
into what they were not meant for (`degradation.sigma` of noise into a blur), or into a node without a class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal import defaults_list
from hydra._internal import hydra as maker
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import IConfigRepository
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.default_element import GroupDefault, InputDefault, ResultDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from gan_lab.command_line.overrides import read
from gan_lab.config import leaves, remove

PRESETS = ("model/", "experiment/")
Place = tuple[str, str]


class PresetLoader(ConfigLoaderImpl):
    """Hydra's loader, but a preset's settings of what is not chosen any more are left out.

    A setting is about the file that has its key, or the nearest above it, where the preset is chosen and nothing else;
    it stands while that file is part of the composition, and none that was typed in another's place says otherwise
    (`trainer=debug` of a recipe's rounds). What is new in a collection (`wrappers`) is about nothing else, and what is
    taken away (null for a component) stays away.
    """

    typed: Sequence[str] = ()

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        self.typed = overrides
        return super().load_configuration(config_name, overrides, run_mode, from_shell, validate_sweep_overrides)

    def _compose_config_from_defaults_list(self, defaults: list[ResultDefault], repo: IConfigRepository) -> DictConfig:
        words = choices_of(self.typed)
        typed = [each for each in defaults if path(each) in words and not is_preset(each)]
        taken = {read(word).key.partition("/")[0] for word in self.typed}
        taken |= {top for each in typed for top in tree_of(each, repo)}
        taken |= {top for each in defaults if path(each).startswith("technique/") for top in overridden(each, repo)}
        presets = [each for each in defaults if is_preset(each)]
        for preset in presets:
            loaded = repo.load_config(path(preset))  # read for this composition alone
            assert loaded is not None
            assert isinstance(loaded.config, DictConfig)
            others = set(loaded.config) - {path(preset).partition("/")[0]}
            if preset is not presets[-1] or taken & others:  # else nothing can have taken a place
                for key in list(self._stale(preset, defaults, typed, repo)):
                    remove(loaded.config, key)
        return super()._compose_config_from_defaults_list(defaults, repo)

    def _stale(
        self,
        preset: ResultDefault,
        defaults: list[ResultDefault],
        typed: list[ResultDefault],
        repo: IConfigRepository,
    ) -> Iterator[str]:
        """The keys that a preset sets in what is not part of the composition, or was typed otherwise."""
        primary = next(path(each) for each in defaults if each.primary)
        before = self._before(preset, primary, repo)
        usual, there = {place for place, _ in before}, {place_of(each) for each in defaults}
        others = [tree_of(each, repo) for each in typed if place_of(each) not in usual]
        trees = [(place in there, tree) for place, tree in before]
        for key, value in leaves(tree_of(preset, repo)):
            stands, (depth, about) = max(((here, nearest(tree, key)) for here, tree in reversed(trees)), key=depth_of)
            is_new = depth < len(key.split(".")) and isinstance(about, dict) and "_target_" not in about
            is_taken_away = value is None and isinstance(about, dict)
            is_typed = any(nearest(tree, key)[0] == len(key.split(".")) for tree in others)
            if not is_taken_away and (is_typed or not (stands or depth == 0 or is_new)):
                yield key

    def _before(self, preset: ResultDefault, primary: str, repo: IConfigRepository) -> list[tuple[Place, Any]]:
        """What is merged before a preset where nothing else is chosen: where it is put, and what it has."""
        choice = OverridesParser.create().parse_override("=".join(path(preset).split("/", 1)))
        alone = create_defaults_list(repo, primary, [choice], prepend_hydra=True, skip_missing=True).defaults
        before = alone[: [path(each) for each in alone].index(path(preset))]
        return [(place_of(each), tree_of(each, repo)) for each in before]


def path(default: ResultDefault) -> str:
    """`group/choice`."""
    return default.config_path or ""


def is_preset(default: ResultDefault) -> bool:
    return path(default).startswith(PRESETS)


def choices_of(typed: Sequence[str]) -> set[str]:
    """What words like `group=choice` choose, as `group/choice`; those with several choices, which are merged in order,
    are left out."""
    return {f"{word.key}/{word.value}" for word in map(read, typed)}


def overridden(default: ResultDefault, repo: IConfigRepository) -> Iterator[str]:
    """The tops of the groups in which a file chooses another."""
    loaded = repo.load_config(path(default))
    assert loaded is not None
    for entry in loaded.defaults_list or []:
        if isinstance(entry, GroupDefault) and entry.override:
            yield (entry.group or "").strip("/").partition("/")[0]


def tree_of(default: ResultDefault, repo: IConfigRepository) -> Any:
    """What a file has, in its package, as plain data."""
    loaded = repo.load_config(path(default))
    assert loaded is not None
    tree = OmegaConf.to_container(loaded.config)
    for part in reversed((default.package or "").split(".")):
        tree = {part: tree} if part else tree
    return tree


def place_of(default: ResultDefault) -> Place:
    """A file, and the package that it is put into."""
    return path(default), default.package or ""


def nearest(tree: Any, key: str) -> tuple[int, Any]:
    """How many parts of a dotted key a tree has, and what it has there."""
    depth = 0
    for depth, part in enumerate(key.split(".")):
        if not isinstance(tree, dict) or part not in tree:
            return depth, tree
        tree = tree[part]
    return depth + 1, tree


def depth_of(found: tuple[bool, tuple[int, Any]]) -> int:
    return found[1][0]


@contextmanager
def presets_give_way() -> Iterator[None]:
    """Compose with `PresetLoader` where Hydra would with its own loader, which it makes by itself, without asking."""
    before = vars(maker)["ConfigLoaderImpl"], vars(defaults_list)["_create_interpolation_map"]
    vars(maker)["ConfigLoaderImpl"] = PresetLoader
    vars(defaults_list)["_create_interpolation_map"] = choices_where_asked(before[1])
    try:
        yield
    finally:
        vars(maker)["ConfigLoaderImpl"], vars(defaults_list)["_create_interpolation_map"] = before


def choices_where_asked(collect: Callable[..., DictConfig]) -> Callable[..., DictConfig]:
    """Hydra collects all choices so far for every file, which takes a third of a composition, and reads them where a
    defaults list refers to one (`${...}`): only then are they collected."""

    def collected(overrides: Any, defaults: list[InputDefault], self_added: bool) -> DictConfig:
        asked = any(each.is_interpolation() for each in defaults if not each.is_self())
        return collect(overrides, defaults, self_added) if asked else DictConfig({})

    return collected
