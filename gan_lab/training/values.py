"""What can be judged of a configuration before torch is there: numbers that are none, sizes below one, odd devices.

A component checks its own arguments when it is built, and says more; what is here is what would be refused then, said
some seconds earlier. Of components that are not gan-lab's nothing is supposed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gan_lab.config import require_number, require_seed, require_whole
from gan_lab.data.shapes import check_image_shape
from gan_lab.distributed.processes import Processes
from gan_lab.engine.switches import check_switches
from gan_lab.errors import ConfigError
from gan_lab.training.plan import Plan

AUTO = "auto"
PRECISIONS = (AUTO, "fp32", "bf16")
DEVICE = re.compile(r"auto|(cpu|cuda|mps|xpu|hpu|mtia|privateuseone)(:\d+)?")
CUDA = re.compile(r"(?:gpu|nvidia|cuda)[\s:_-]*(\d*)", re.IGNORECASE)  # what is typed for it
# By the last part of their keys: whole numbers with the least that they may be, numbers, and yes or no.
WHOLE = {
    "accumulation": 1, "attention": 0, "begin": 0, "blocks": 0, "count": 1, "critic_steps": 1, "depth": 0, "dim": 1,
    "dims": 1, "embedding_dim": 1, "every": 0, "fade_images": 0, "group": 0, "growth": 1, "interval": 1, "k": 1,
    "kernels": 1, "latent_dim": 1, "line_every": 0, "max_corrupt": 0, "most": 1, "n": 1, "patches": 1, "patience": 1,
    "pixels": 0, "shared_dim": 0, "size": 1, "splits": 1, "stable_images": 1, "steps": 1, "subset_size": 2,
    "subsets": 1, "unroll_steps": 0, "waves": 1, "width": 1,
}  # fmt: skip
NUMBERS = {
    "alpha": 0.0, "bound": 0.0, "decay": 0.0, "deviation": 0.0, "dropout": 0.0, "end_factor": 0.0, "eps": 0.0,
    "label_smoothing": 0.0, "lr": 0.0, "mirrored": 0.0, "momentum": 0.0, "std": 0.0, "temperature": 0.0,
    "warmup": 0.0, "weight": None, "weight_decay": 0.0,
}  # fmt: skip
FLAGS = (
    *("aligned", "batch_norm", "direct", "first_norm", "flip", "hierarchical", "one_sided"),
    *("products", "reuse_fake", "turn", "two_sided", "whole", "zero_sum"),
)
NEEDED = ("loss.adversarial", "loss.regularizers", "optimizer.schedule", "algorithm.ema")
NEVER_NULL = ("betas", "lr")
GROUPS = ("model", "loss", "optimizer", "wrappers", "schedules", "callbacks", "logger")
THREADS = 2**15
OPTIMIZERS = ("alpha", "betas", "eps", "lr", "momentum", "weight_decay")  # what torch's classes have of these


def check_settings(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a value of any verb's resolved configuration that no component takes."""
    for key, check in CHECKS.items():
        if key in config:
            check(config[key], key)
    if "model" in config:
        check_components(config)
    if isinstance(engine := config.get("engine"), Mapping):
        check_engine(engine)
    trainer = config.get("trainer")
    if isinstance(trainer, Mapping) and trainer.get("_target_") == f"{Plan.__module__}.{Plan.__name__}":
        check_plan(trainer)
    dataset = config.get("dataset")
    if isinstance(dataset, Mapping) and str(dataset.get("_target_")).startswith("gan_lab."):
        check_shape(dataset)
    for group, node in config.items():
        for key, target, name, value in arguments(node, str(group)):
            check_argument(key, target, name, value)


def check_components(config: Mapping[str, Any]) -> None:
    """Raise ConfigError where something else stands in the place of components."""
    for group in GROUPS:
        if not isinstance(config.get(group, {}), Mapping):
            raise ConfigError(f"{group}: {config[group]!r} is not a mapping of components by name")
    needed = {f"model.{role}": node for role, node in config["model"].items()}
    needed |= {"loss.adversarial": config.get("loss", {}).get("adversarial", {})}
    needed |= {key: config.get(key, {}) for key in ("algorithm", "engine", "trainer", "dataset", "augmentation")}
    for key, node in needed.items():
        if not isinstance(node, Mapping):
            raise ConfigError(f"{key}: {node!r} is not a component (a mapping with _target_)")
    for key in NEEDED if "_target_" in config.get("trainer", {}) else ():
        if key.partition(".")[2] not in config[key.partition(".")[0]]:
            raise ConfigError(f"{key}: is missing, no training can do without it: leave out ~{key}")
    require_whole(config.get("loss", {}).get("adversarial_from", 0), "loss.adversarial_from", 0)


def check_engine(engine: Mapping[str, Any]) -> None:
    """Raise ConfigError for what is no number of threads, switches that have no such position, and processes that
    cannot be."""
    if engine.get("threads") is not None:
        require_whole(engine["threads"], "engine.threads", 1, ", or null", THREADS)
    check_switches(engine)
    Processes.of(engine)


def arguments(node: Any, key: str) -> Iterator[tuple[str, str, str, Any]]:
    """`(dotted key, _target_, name, value)` of every argument of every component at and below `node`."""
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from arguments(value, f"{key}.{index}")
    if not isinstance(node, Mapping):
        return
    target = str(node.get("_target_", ""))
    for name, value in node.items():
        if isinstance(value, (Mapping, list)):
            yield from arguments(value, f"{key}.{name}")
        if target and name != "_target_":
            yield f"{key}.{name}", target, str(name), value


def check_argument(key: str, target: str, name: str, value: Any) -> None:
    """Raise ConfigError where a component of gan-lab's or an optimizer of torch's could not take this argument."""
    ours = target.startswith("gan_lab.") or (target.startswith("torch.optim.") and name in OPTIMIZERS)
    if not ours or value == AUTO or (value is None and name not in NEVER_NULL) or key.startswith("trainer."):
        return
    if name in WHOLE:
        require_whole(value, key, WHOLE[name])
    elif name in NUMBERS:
        least = NUMBERS[name]
        require_number(value, key) if least is None else require_number(value, key, least)
    elif name in FLAGS:
        require_flag(value, key)
    elif name == "betas":
        check_betas(value, key)


def check_betas(betas: Any, key: str) -> None:
    """Raise ConfigError unless these are Adam's two: torch takes the first two of three without a word."""
    if not isinstance(betas, list) or len(betas) != 2:
        raise ConfigError(f"{key}: {betas!r} is not two numbers, e.g. [0.5,0.999]")
    for at, beta in enumerate(betas):
        if require_number(beta, f"{key}.{at}", 0.0) >= 1:
            raise ConfigError(f"{key}.{at}: {beta!r} must be below 1")


def check_plan(trainer: Mapping[str, Any]) -> None:
    """Raise ConfigError where the run would be none."""
    sizes = {name: 1 if trainer.get(name) == AUTO else trainer.get(name, 1) for name in ("batch_size", "accumulation")}
    if AUTO in (trainer.get("batch_size"), trainer.get("accumulation")):
        sizes["accumulation"] = 1
    given = {str(name): value for name, value in trainer.items() if not str(name).startswith("_")}
    try:
        Plan(**{**given, **sizes})
    except TypeError as error:
        raise ConfigError(f"trainer: {' '.join(str(error).split())}") from error


def check_shape(dataset: Mapping[str, Any]) -> None:
    """Raise ConfigError where the shape of images is not three sides; what sides there may be is the dataset's to
    say."""
    shape = dataset.get("image_shape")
    if shape is None or shape == AUTO:
        return
    first, *sides = shape if isinstance(shape, list) and len(shape) == 3 else [None]
    if not (first == AUTO or type(first) is int) or not all(type(side) is int and side > 0 for side in sides):
        check_image_shape(shape, None, None)  # what it says of this is said


def check_device(device: Any, key: str = "device") -> None:
    """Raise ConfigError for what is no device of torch's."""
    text = str(device)
    if not DEVICE.fullmatch(text):
        meant = CUDA.fullmatch(text)
        number = f":{meant[1]}" if meant and meant[1] else ""
        offer = f"; write {key}=cuda{number}" if meant else ""
        raise ConfigError(f"{key}: {text!r} is not one of auto, cpu, cuda, cuda:1, mps{offer}")


def check_trust(trust: Any, key: str = "trust") -> None:
    """Raise ConfigError unless these are names of modules."""
    if not isinstance(trust, list) or not all(isinstance(name, str) for name in trust):
        shown = trust if isinstance(trust, str) else "my_models"
        raise ConfigError(f"{key}: {trust!r} is not a list of modules, e.g. {key}=[{shown}]")


def require_flag(value: Any, key: str) -> None:
    """Raise ConfigError for anything but true and false."""
    if not isinstance(value, bool):
        raise ConfigError(f"{key}: {value!r} is neither true nor false")


def check_precision(precision: Any, key: str = "precision") -> None:
    """Raise ConfigError for a precision that nothing computes in."""
    if precision not in PRECISIONS:
        raise ConfigError(f"{key}: {precision!r} is not one of {', '.join(PRECISIONS)}")


def check_component(node: Any, key: str) -> None:
    """Raise ConfigError for what names no class."""
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise ConfigError(f"{key}: {node!r} is not a component (a mapping with _target_)")


def check_text(value: Any, key: str) -> None:
    """Raise ConfigError for a list, a mapping or a number where a name is wanted."""
    if not isinstance(value, str):
        raise ConfigError(f"{key}: {value!r} is not a name")


def check_names(value: Any, key: str) -> None:
    """Raise ConfigError for anything but a list; what is in it may look like a number."""
    if not isinstance(value, list):
        raise ConfigError(f"{key}: {value!r} is not a list of names, e.g. {key}=[{value}]")


def check_place(value: Any, key: str) -> None:
    """Raise ConfigError for what is no path; null may mean none."""
    if isinstance(value, (list, dict, bool)):
        raise ConfigError(f"{key}: {value!r} is not a path")


CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "seed": require_seed,
    "device": check_device,
    "precision": check_precision,
    "trust": check_trust,
    **dict.fromkeys(("resume_force", "baseline", "force", "all", "cheap", "profile", "whole"), require_flag),
    **dict.fromkeys(("overwrite", "check"), require_flag),
    "sampler": check_component,
    "pruner": lambda node, key: None if node is None else check_component(node, key),
    "objective": check_text,
    **dict.fromkeys(
        ("run", "out", "resume", "checkpoint", "folder", "from", "input", "mask", "content", "style", "weights"),
        check_place,
    ),
    "inputs": lambda value, key: None if value is None else check_text(value, key),
    "stores": check_names,
}
