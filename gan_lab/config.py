"""From configuration to components: where the YAML lies, and the one place that instantiates it.

Whoever writes a configuration may name any class: the command line and the user's own folder are the user's. What comes
out of a stored run or a checkpoint is data, so `check_targets` admits only classes that gan-lab, `torch.nn`,
`torch.optim` or a module the user trusts *defines* (an attribute path such as `torch.nn.functional.os.system` ends
in something defined elsewhere and is refused).
"""

from __future__ import annotations

import inspect
import math
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.errors import ConfigError, GanLabError

if TYPE_CHECKING:
    from omegaconf import DictConfig

PACKAGE = Path(__file__).resolve().parent
CONFIG_DIR = next((p for p in (PACKAGE / "configs", PACKAGE.parent / "configs") if p.is_dir()), PACKAGE / "configs")
SCHEDULE = "schedule"
# What a class raises for arguments that it cannot be made of; a RuntimeError may be the machine's fault, too.
REFUSALS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, AssertionError)
SYSTEM = re.compile(r"memory|alloc|CUDA|cudnn|device|distributed", re.IGNORECASE)
TRUSTED = ("gan_lab", "torch.nn", "torch.optim")
# What the classes of runs up to 0.4.1 are called now: the beginning of a `_target_`. Kept until 1.0.
RENAMED = {
    "gan_lab.averaging.": "gan_lab.algorithms.averaging.",
    "gan_lab.data.arrays.": "gan_lab.data.sources.arrays.",
    "gan_lab.data.folder.": "gan_lab.data.sources.folder.",
    "gan_lab.data.hub.": "gan_lab.data.sources.hub.",
    "gan_lab.data.lsun.": "gan_lab.data.sources.lsun.",
    "gan_lab.data.parquet.": "gan_lab.data.sources.parquet.",
    "gan_lab.data.points.": "gan_lab.data.sources.points.",
    "gan_lab.data.sources.Digits": "gan_lab.data.sources.digits.Digits",
    "gan_lab.data.sources.Torchvision": "gan_lab.data.sources.torchvision.Torchvision",
    "gan_lab.data.stacked.": "gan_lab.data.sources.stacked.",
    "gan_lab.engine.Engine": "gan_lab.engine.engine.Engine",
    "gan_lab.latents.": "gan_lab.algorithms.latents.",
    "gan_lab.metrics.automatic.": "gan_lab.features.automatic.",
    "gan_lab.metrics.classifier.": "gan_lab.features.classifier.",
    "gan_lab.metrics.inception_extractor.": "gan_lab.features.inception_extractor.",
    "gan_lab.metrics.pixels.": "gan_lab.features.pixels.",
    "gan_lab.metrics.pretrained.": "gan_lab.features.pretrained.",
    "gan_lab.metrics.random_convolutions.": "gan_lab.features.random_convolutions.",
    "gan_lab.pictures.Scatter": "gan_lab.pictures.scatter.Scatter",
    "gan_lab.schedules.": "gan_lab.algorithms.schedules.",
    "gan_lab.trainer.Trainer": "gan_lab.training.plan.Plan",
}


def build(node: Mapping[str, Any], key: str = "", **given: Any) -> Any:
    """Instantiate `node` by its `_target_`, handing it the `given` keyword arguments.

    A node with `_partial_: true` comes back as a callable that takes the rest. `key` is the node's place in the
    configuration and only serves the message. Raises ConfigError, in one line, for a target that cannot be imported
    and for arguments that it refuses, or that it stumbles over.
    """
    import hydra.utils
    from hydra.errors import InstantiationException
    from omegaconf.errors import OmegaConfBaseException

    if not isinstance(node, Mapping) or "_target_" not in node:
        raise ConfigError(f"{key or 'config'}: has no _target_ (the class to build)")
    _look_here_too()
    node = without_schedules(node)
    try:
        if node.get("_partial_"):
            return hydra.utils.instantiate(node, **given, _convert_="all")
        factory = hydra.utils.instantiate(node, _partial_=True, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, GanLabError):  # of a component inside this one, in words of its own
            raise error.__cause__ from error
        raise ConfigError(f"{key or 'config'}: {_cause(error)}") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{key or 'config'}: {_one_line(error)}") from error
    try:
        return factory(**given)
    except (*REFUSALS, RuntimeError) as error:
        if isinstance(error, RuntimeError) and SYSTEM.search(str(error)):
            raise
        unknown = _unknown(factory.func, {**factory.keywords, **given}) if isinstance(error, TypeError) else []
        reason = f"takes no {', '.join(unknown)}" if unknown else _one_line(error)
        raise ConfigError(f"{key or 'config'} ({node['_target_']}): {reason}") from error


def without_schedules(node: Any) -> Any:
    """A configuration tree without the `schedule` of each component: it says how the component's numbers change over a
    run, and is bound to them once they are there (`gan_lab.training.schedule_binding`)."""
    if isinstance(node, dict):  # plain data; what OmegaConf has is not resolved yet
        kept = {name: value for name, value in node.items() if not (name == SCHEDULE and _is_scheduled(node))}
        return {name: without_schedules(value) for name, value in kept.items()}
    return [without_schedules(value) for value in node] if isinstance(node, (list, tuple)) else node


def schedules(node: Any, key: str = "") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every `(key of a component, key of a number below it, how that changes)` of a configuration tree."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == SCHEDULE and _is_scheduled(node):
                yield from ((key, number, ramp) for number, ramp in _ramps(value))
            else:
                yield from schedules(value, f"{key}.{name}" if key else str(name))


def _is_scheduled(node: Mapping[str, Any]) -> bool:
    """Whether the `schedule` of a node is of its numbers by name, and not a component that it is built with."""
    found = node[SCHEDULE]
    return "_target_" in node and isinstance(found, Mapping) and "_target_" not in found


def _ramps(node: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, value in node.items():
        below = f"{key}.{name}" if key else str(name)
        if isinstance(value, Mapping):
            yield from ((below, value),) if "_target_" in value else _ramps(value, below)


def _unknown(target: Any, arguments: Mapping[str, Any]) -> list[str]:
    """The arguments that a target has no parameter for."""
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):  # written in C
        return []
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return []
    return [name for name in arguments if name not in parameters]


def _look_here_too() -> None:
    """A user's own module beside the command works as a target."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def _one_line(error: BaseException) -> str:
    """A message as one line, without the places OmegaConf lists below its first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("full_key:", "object_type="))]
    return " ".join(told) or type(error).__name__


def _cause(error: BaseException) -> str:
    """The innermost reason of a failed instantiation, in one line, with the key Hydra found it under."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    where = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), "")
    first = lines[0] if lines else type(error).__name__
    inner = error.__cause__
    while inner is not None and inner.__cause__ is not None:
        inner = inner.__cause__
    reason = str(inner).splitlines()[0] if inner is not None and str(inner) else ""
    if "Error locating target" in first:
        first = first.split(", set env var")[0]
    parts = [first if not reason or reason in first else f"{first} {reason}"]
    return "".join(parts) + (f" (at {where})" if where else "")


def targets(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every `(key, _target_)` in a plain configuration tree."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "_target_":
                yield key, value if isinstance(value, str) else type(value).__name__  # which is no class of anybody's
            else:
                yield from targets(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, Sequence) and not isinstance(node, (str, bytes)):
        for index, value in enumerate(node):
            yield from targets(value, f"{key}.{index}" if key else str(index))


def current_target(target: str) -> str:
    """The present name of a class that a stored run names."""
    before = next((old for old in RENAMED if target.startswith(old)), None)
    return target if before is None else RENAMED[before] + target.removeprefix(before)


def with_current_targets(node: Any) -> Any:
    """A stored configuration with every `_target_` under its present name."""
    if isinstance(node, Mapping):
        return {
            key: current_target(value) if key == "_target_" and isinstance(value, str) else with_current_targets(value)
            for key, value in node.items()
        }
    return [with_current_targets(value) for value in node] if isinstance(node, (list, tuple)) else node


def check_targets(node: Any, trust: Sequence[str] = ()) -> None:
    """Refuse a stored configuration that would run anything but trusted classes. Raises ConfigError.

    Nothing outside the trusted modules is imported to find out. Interpolations are refused too: a stored
    configuration is resolved, so `${oc.env:...}` in one is somebody reaching for this machine's environment.
    """
    for key, text in _texts(node):
        if "${" in text:
            raise ConfigError(f"stored config: {key} holds an interpolation ({text}); a stored config is plain data")
    for key, target in targets(node):
        if not (_defined_in(target, TRUSTED) and _is_class(target)) and not _defined_in(target, trust):
            module = target.rpartition(".")[0] or target
            raise ConfigError(
                f"stored config: {key} names {target}, which is not a class of {', '.join((*TRUSTED, *trust))}; "
                f"if you trust that code, add trust=[{module}]"
            )


def _texts(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every `(key, string)` in a plain tree, keys of mappings among the strings."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            below = f"{key}.{name}" if key else str(name)
            yield below, str(name)
            yield from _texts(value, below)
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from _texts(value, f"{key}.{index}" if key else str(index))
    elif isinstance(node, str):
        yield key, node


def _defined_in(target: str, modules: Sequence[str]) -> bool:
    """Whether what `target` names is defined in one of the modules; nothing that does not start so is looked up."""
    if not any(target.startswith(f"{module}.") for module in modules):
        return False
    home = getattr(_find(target), "__module__", None) or ""
    return any(home == module or home.startswith(f"{module}.") for module in modules)


def _is_class(target: str) -> bool:
    return isinstance(_find(target), type)


def _find(target: str) -> Any:
    import hydra.utils

    _look_here_too()
    try:
        return hydra.utils.get_object(target)
    except Exception:  # whatever hinders the look-up, the target is not one of those trusted
        return None


def leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every `(dotted key, value)` of a plain configuration tree; an empty list or mapping is a value."""
    if isinstance(node, Mapping) and node:
        for name, value in node.items():
            yield from leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, (list, tuple)) and node and any(isinstance(v, (Mapping, list, tuple)) for v in node):
        for index, value in enumerate(node):
            yield from leaves(value, f"{key}.{index}" if key else str(index))
    else:
        yield key, node


def remove(config: DictConfig, key: str) -> None:
    """Take a dotted key away, and every mapping that is empty without it: of a callback nothing is left."""
    from omegaconf import OmegaConf

    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if OmegaConf.is_dict(node) and name in node:
        node.pop(name)
        if parent and not node:
            remove(config, parent)


def settings(cfg: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain data, every interpolation resolved, without Hydra's own part."""
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items() if key != "hydra"}


def to_yaml(value: Any) -> str:
    """Plain data as YAML."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(value))


LARGEST = 2**63 - 1  # what torch takes for a whole number
SEEDS = 2**32  # how many seeds NumPy takes


def require_whole(value: Any, key: str, least: int = 1, otherwise: str = "", most: int = LARGEST) -> int:
    """`value` where it is a whole number from `least` to `most`. Raises ConfigError naming `key` for anything else;
    `otherwise` says what would do as well."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        whole = isinstance(value, float) and value.is_integer() and least <= value <= most
        meant = f"; write {int(value)}" if whole else ""  # 1e3
        raise ConfigError(f"{key}: {value!r} is not a whole number of at least {least}{otherwise}{meant}")
    if value > most:
        raise ConfigError(f"{key}: {value} is too large, {most} is the most")
    return value


def require_number(value: Any, key: str, least: float = -math.inf, above: float = -math.inf) -> float:
    """`value` where it is a finite number of at least `least` and larger than `above`. Raises ConfigError naming `key`
    for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigError(f"{key}: {value!r} is not a number")
    if value < least or value <= above:
        bound = f"at least {least:g}" if value < least else f"above {above:g}"
        raise ConfigError(f"{key}: {value!r} must be {bound}")
    return value


def require_seed(value: Any, key: str = "seed") -> int:
    """`value` where every generator of random numbers takes it for a seed. Raises ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < SEEDS:
        raise ConfigError(f"{key}: {value!r} is not a whole number from 0 to {SEEDS - 1}")
    return value


def build_each(nodes: Mapping[str, Any] | None, key: str, parts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build every component of a mapping by name; a name set to null is left out. `parts` remembers them by key."""
    built = {name: build(node, f"{key}.{name}") for name, node in (nodes or {}).items() if node is not None}
    if parts is not None:
        parts |= {f"{key}.{name}": component for name, component in built.items()}
    return built
