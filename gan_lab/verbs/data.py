"""The verb `gan-lab data`: pack a dataset, list what is packed, look into one, take one away."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.overrides import read
from gan_lab.config import CONFIG_DIR, build
from gan_lab.data import stores
from gan_lab.data.dataset import Dataset
from gan_lab.data.inspection.inspection import (
    UNBALANCED,
    balance,
    contact_sheet,
    duplicates,
    histogram,
    moments,
    pair_sheet,
    shows_pictures,
)
from gan_lab.data.inspection.near_duplicates import near_duplicates
from gan_lab.data.sizes import tell_sizes
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.paths import require_path
from gan_lab.data.space import in_words
from gan_lab.data.store import Store, StoreError
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.root import data_root

if TYPE_CHECKING:
    from PIL import Image

SHOWN_POINTS = 4096


def main(cfg: Mapping[str, Any]) -> None:
    """Do `cfg.action` (pack, list, inspect or remove) and print the outcome. Raises GanLabError in one line."""
    actions = {"pack": _pack, "list": _list, "inspect": _inspect, "remove": _remove}
    action = cfg.get("action")
    if action not in actions:
        raise ConfigError(f"action={action}: choose {', '.join(actions)}")
    if cfg.get("stores") and action != "remove":
        raise ConfigError(
            f"stores={listed(cfg['stores'])}: only remove takes names of stores; a dataset is dataset=NAME"
        )
    actions[action](cfg)


def _pack(cfg: Mapping[str, Any]) -> None:
    dataset: Dataset = build(cfg["dataset"], "dataset")
    given = cfg.get("from")
    if given is not None and not dataset.ready_made:
        dataset, given = dataset.located(given), None
    was_there = dataset.folder.exists() and not cfg.get("force")
    start = time.perf_counter()
    store = dataset.pack(given, bool(cfg.get("force")))
    seconds = time.perf_counter() - start
    if was_there:
        print(f"{store.name} is packed already (force=true packs it again)")
    else:
        print(f"packed {store.name} in {seconds:.1f} s, {len(store) / max(seconds, 1e-9):.0f} images/s")
    _print_facts(store)
    if dataset.inputs is not None:
        _print_facts(dataset.inputs.store)
    _print_histogram(store)


def _list(cfg: Mapping[str, Any]) -> None:
    root = data_root()
    rows: list[tuple[str, ...]] = [("name", "shape", "images", "classes", "size", "source", "folder")]
    names = set()
    for folder in stores.all_stores():
        try:
            store = Store(folder)
        except StoreError as error:
            print(error)
            continue
        names.add(store.name)
        classes = str(store.num_classes or "-")
        facts = (stores.title(store.card), _sides(store), f"{len(store)}", classes, in_words(store.nbytes))
        rows.append((*facts, str(store.card["source"]), store.folder.name))
    print(f"data root: {root}")
    if len(rows) > 1:
        _print_table(rows)
    else:
        print("nothing is packed yet")
    missing = [name for name in _ready_made() if name not in names]
    if missing:
        print(f"not packed yet: {', '.join(missing)} (gan-lab data pack dataset=NAME)")


def _inspect(cfg: Mapping[str, Any]) -> None:
    dataset: Dataset = build(cfg["dataset"], "dataset")
    store = dataset.open()
    store.verify()
    _print_facts(store)
    mean, std = moments(store)
    kind, span = ("pixels", "0..1") if store.dtype == "uint8" else ("values", "-1..1")
    print(f"{kind}   mean {_numbers(mean)}, std {_numbers(std)} per channel, in {span}")
    print(f"repeats  {duplicates(store)} exact duplicates")
    out = Path(f"{store.name}.png" if cfg.get("out") is None else require_path(cfg["out"], "out")).expanduser()
    if out.is_dir():
        out = out / f"{store.name}.png"
    if shows_pictures(store):
        _print_near_duplicates(store, out.with_name(f"{out.stem}-near-duplicates.png"))
    _print_histogram(store)
    _print_balance(store)
    sheet = _sheet(dataset, store)
    if sheet is None:
        print(f"sheet    none: {store.name} holds no gray or RGB pixels, and dataset.picture is not set")
    else:
        _save(sheet, out, "the contact sheet")
        print(f"sheet    {out.absolute()}")


def _remove(cfg: Mapping[str, Any]) -> None:
    words = [str(word) for word in cfg.get("stores") or []]
    folders = stores.find(words)
    if _is_typed("dataset") or not words:
        folders += [folder for folder in _of_dataset(cfg) if folder not in folders]
    for folder, size in zip(folders, stores.remove(folders), strict=True):
        print(f"removed {folder.name}, {in_words(size)} freed")


def _of_dataset(cfg: Mapping[str, Any]) -> list[Path]:
    """The stores of the dataset that was typed."""
    if not _is_typed("dataset", otherwise=True):
        raise ConfigError("stores: say which, as gan-lab data list calls them, or dataset=NAME with its settings")
    dataset: Dataset = build(cfg["dataset"], "dataset")
    found = dataset.stored()
    if not found:
        alike = [folder.name for folder in stores.all_stores() if folder.name.startswith(f"{dataset.name}-")]
        others = f"; stores of that name: {listed(alike)}" if alike else ""
        raise ConfigError(f"dataset={dataset.name}: nothing is packed with these settings{others}")
    return found


def _is_typed(group: str, otherwise: bool = False) -> bool:
    """Whether the user chose in this group, or set something of it; `otherwise` where there is no command line."""
    from hydra.core.hydra_config import HydraConfig

    if not HydraConfig.initialized():
        return otherwise
    return any(read(word).key.partition(".")[0] == group for word in HydraConfig.get().overrides.task)


def _sheet(dataset: Dataset, store: Store) -> Image.Image | None:
    """Examples as the dataset's own picture shows them, else a grid of them; None for what neither can show."""
    if dataset.picture is not None:
        from PIL import Image

        picture = dataset.picture(store.read(range(min(len(store), SHOWN_POINTS))))
        return Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    return contact_sheet(store) if shows_pictures(store) else None


def _save(sheet: Image.Image, out: Path, what: str) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(out)
    except (OSError, ValueError) as error:
        raise GanLabError(f"out={out}: {what} cannot be written ({error})") from error


def _print_near_duplicates(store: Store, out: Path) -> None:
    pairs = near_duplicates(store)
    if not pairs:
        print("alike    no near duplicates")
        return
    print(
        f"alike    {len(pairs)} near duplicates ({listed([f'{a} and {b}' for a, b, _ in pairs])}), see {out.absolute()}"
    )
    _save(pair_sheet(store, pairs), out, "the sheet of near duplicates")


def _print_facts(store: Store) -> None:
    labels = f"{store.num_classes} classes" if store.num_classes else "no labels"
    if (shares := store.attribute_shares) is not None:
        labels = f"{len(shares)} attributes"
    print(f"images   {len(store)} of {_sides(store)}, {labels}, {in_words(store.nbytes)}, sha256 {store.sha256[:12]}")
    if shares is not None:
        print(f"have     {listed([f'{name} {share:.1%}' for name, share in shares.items()], len(shares))}")
    if (sizes := tell_sizes(store.card)) is not None:
        print(f"sizes    {sizes}")
    if (patch := store.card.get("patch")) is not None:
        print(f"patches  {patch['size']} pixels, {patch['stride']} apart, of {len(patch['pictures'])} pictures")
    if store.input_shape is not None:
        channels, height, width = store.input_shape
        print(f"inputs   {width}x{height}x{channels}, one of each image")
        if (sizes := tell_sizes(store.card, "input_sizes")) is not None:
            print(f"         {sizes}")
    if store.captions is not None and store.words is not None:
        _, most, length = store.captions.shape
        print(f"captions up to {most} of {length} tokens each, {len(store.words)} words: {listed(store.words)}")
    print(f"source   {store.card['source']}, fit {store.card['fit']}")
    print(f"folder   {store.folder}")


def _print_histogram(store: Store) -> None:
    counts = histogram(store)
    if not counts:
        return
    most = max(counts.values())
    name_width = min(24, max(map(len, counts)))
    for name, count in list(counts.items())[:50]:
        bar = "#" * max(round(30 * count / most), 1 if count else 0)
        print(f"  {name[:name_width]:<{name_width}} {count:>{len(str(most))}} {bar}")
    if len(counts) > 50:
        print(f"  ... and {len(counts) - 50} more classes")


def _print_balance(store: Store) -> None:
    counts = histogram(store)
    if not counts:
        return
    ratio, empty = balance(counts)
    some = {name: count for name, count in counts.items() if count}
    most, least = max(some, key=some.__getitem__), min(some, key=some.__getitem__)
    print(f"balance  the largest class ({most}) has {ratio:.1f} times the images of the smallest ({least})")
    if ratio > UNBALANCED:
        print("         a conditional model will know the small ones badly: add to them, or see dataset.balance")
    if empty:
        print(f"         {len(empty)} classes are empty: {listed(empty)}")


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _ready_made() -> Iterable[str]:
    """The names of the shipped datasets that have a source of their own."""
    from omegaconf import DictConfig, OmegaConf

    for path in sorted((CONFIG_DIR / "dataset").glob("*.yaml")):
        node = OmegaConf.load(path)
        if isinstance(node, DictConfig) and "source" in node:
            yield str(node["name"])


def _sides(store: Store) -> str:
    channels, height, width = store.shape
    if not shows_pictures(store):
        return f"{width}x{height}x{channels} {store.dtype}"
    return f"{width}x{height} {'gray' if channels == 1 else 'RGB'}"


def _numbers(values: Iterable[float]) -> str:
    return "/".join(f"{value:.4f}" for value in values)
