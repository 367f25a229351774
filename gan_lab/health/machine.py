"""What this machine has for training, in lines that say what to do."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gan_lab import __version__
from gan_lab.errors import ConfigError
from gan_lab.storage.root import data_root

NEEDED = ("torch", "torchvision", "hydra-core", "omegaconf", "numpy", "scipy", "tensorboard", "pillow", "pyyaml")
OPTIONAL = {  # module: what it is for, how to get it
    "optuna": ("gan-lab tune", "pip install 'gan-lab[tune]'"),
    "timm": ("extractor=dinov2, clip", "pip install 'gan-lab[features]'"),
    "torch_fidelity": ("checking metrics against another implementation", "pip install torch-fidelity"),
    "h5py": ("HDF5 files", "pip install 'gan-lab[hdf5]'"),
    "pyarrow": ("parquet files", "pip install 'gan-lab[parquet]'"),
    "datasets": ("dataset=huggingface", "pip install 'gan-lab[datasets]'"),
    "lmdb": ("dataset=lsun", "pip install 'gan-lab[lsun]'"),
    "hydra_plugins.hydra_submitit_launcher": ("sweeps on a cluster", "pip install 'gan-lab[slurm]'"),
}
COMPILERS = ("cc", "gcc", "clang")  # that torch's compiler and Triton call
LITTLE = 2.0  # GB


def report_machine(device: str, precision: str, folder: Path) -> list[str]:
    """One line for each thing: `ok`, `note` (it goes without) or `bad`, what it is, and what to do."""
    lines = [*packages(), *computing(device, precision), *disks(folder), *data(), *optional(), *weights()]
    bad = sum(line.startswith("bad") for line in lines)
    return [*lines, f"{bad} to mend" if bad else "ready: gan-lab train"]


def report_line(kind: str, what: str, told: str) -> str:
    return f"{kind:<5}{what:<10} {told}"


def packages() -> list[str]:
    """Python and what gan-lab cannot do without."""
    found, missing = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    lines = [
        report_line("ok", "gan-lab", f"{__version__}, python {platform.python_version()} in {sys.prefix}"),
        report_line("ok", "packages", ", ".join(found)),
    ]
    if missing:
        lines.append(report_line("bad", "packages", f"{', '.join(missing)} missing: pip install {' '.join(missing)}"))
    return lines


def computing(device: str, precision: str) -> list[str]:
    """Devices, and what training would take of them, and why."""
    import torch

    from gan_lab.engine.engine import Engine

    lines = []
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        free = torch.cuda.mem_get_info(index)[0] / 1e9
        told = (
            f"{about.name}, {about.total_memory / 1e9:.0f} GB, {free:.0f} free, capability {about.major}.{about.minor}"
        )
        lines.append(report_line("ok", f"cuda:{index}", told))
    if lines and not any(map(shutil.which, COMPILERS)):
        told = "none: some kernels (narrow attention, engine.compile=on) are compiled here; apt install gcc"
        lines.append(report_line("note", "compiler", told))
    if not lines:
        built = torch.version.cuda or torch.version.hip
        why = "torch is built for it, but sees none: check the driver" if built else "this torch is built without it"
        lines.append(report_line("note", "cuda", f"no GPU ({why}); small images train on the CPU"))
    try:
        engine = Engine(device=device, precision=precision)
    except ConfigError as error:
        return [*lines, report_line("bad", "device", str(error))]
    lines.append(report_line("ok", "compute", engine.description))
    cores, threads = len(available()), torch.get_num_threads()
    told = f"{threads} of torch on {cores} cores"
    if threads > cores:
        lines.append(report_line("bad", "threads", f"{told}: they stand in each other's way; engine.threads={cores}"))
    else:
        lines.append(report_line("ok", "threads", told))
    return lines


def available() -> set[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def disks(folder: Path) -> list[str]:
    """Room and permission where runs and data are written."""
    return [
        room("runs", folder, "hydra.run.dir=/another/disk/RUN"),
        room("data root", data_root(), "set GAN_LAB_DATA to a folder on another disk"),
    ]


def room(what: str, folder: Path, otherwise: str) -> str:
    """Whether `folder`, or where it would be made, can be written to."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return report_line("bad", what, f"{folder}: cannot be written; {otherwise}")
    free = shutil.disk_usage(there).free / 1e9
    told = f"{folder}: {free:.1f} GB free"
    return report_line("bad", what, f"{told}: {otherwise}") if free < LITTLE else report_line("ok", what, told)


def data() -> list[str]:
    """What is packed in the data root."""
    from gan_lab.data.card import CARD
    from gan_lab.data.store import Store, StoreError

    lines, whole = [], []
    for card in sorted(data_root().glob(f"[!.]*/{CARD}")):
        try:
            store = Store(card.parent)
        except StoreError as error:
            lines.append(report_line("bad", "data", str(error)))
        else:
            whole.append(f"{store.name} ({len(store)})")
    if whole:
        return [report_line("ok", "data", ", ".join(whole)), *lines]
    return [report_line("note", "data", "nothing is packed yet; digits, ring and grid come with the package"), *lines]


def optional() -> list[str]:
    """Packages that some verbs and datasets need."""
    there, lines = [], []
    for module, (purpose, how) in OPTIONAL.items():
        if present(module):
            there.append(module.rpartition(".")[2])
        else:
            lines.append(report_line("note", "optional", f"no {module.rpartition('.')[2]} ({purpose}): {how}"))
    return [report_line("ok", "optional", ", ".join(there)), *lines] if there else lines


def present(module: str) -> bool:
    """Whether a module can be found, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def weights() -> list[str]:
    """What the extractors of metrics need."""
    from gan_lab.features.inception_extractor import FILE

    path = data_root() / "extractors" / FILE
    if path.is_file():
        return [report_line("ok", "weights", f"extractor=inception: {path}")]
    told = f"extractor=inception has no weights: copy {FILE} to {path.parent}; extractor=auto needs none"
    return [report_line("note", "weights", told)]
