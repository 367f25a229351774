"""A dataset as the configuration names it: a source, the shape its images are packed to, and the store that results."""

from __future__ import annotations

import copy
import logging
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gan_lab.config import build
from gan_lab.data.class_weights import check_balance
from gan_lab.data.location import UserImages, folder_of, noted_channels, read_user_images, unavailable
from gan_lab.data.packing import pack
from gan_lab.data.patches import check_patch, check_scale
from gan_lab.data.shapes import AUTO, Sides, check_crop, check_image_shape, check_input_shape, cut_shape, windows
from gan_lab.data.sizes import tell_changes
from gan_lab.data.sources.images import FITS, MODES
from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.points import Mixture
from gan_lab.data.sources.selected import Selection
from gan_lab.data.sources.source import DownloadError, Joined, Source
from gan_lab.data.sources.stacked import Stacked
from gan_lab.data.space import Need
from gan_lab.data.store import Store
from gan_lab.data.stores import find_again
from gan_lab.data.tokens import Words
from gan_lab.errors import ConfigError
from gan_lab.storage.root import data_root

if TYPE_CHECKING:
    from gan_lab.data.stream import Stream
    from gan_lab.degradations.base import Degradation
    from gan_lab.engine.engine import Engine


log = logging.getLogger(__name__)


class Dataset:
    """Images of one `image_shape` = `(C, H, W)`, packed once under the data root. Making one touches nothing.

    With a `source` it is ready-made: `path` (a folder or zip) then replaces where the images are read from, and the
    store is the same one. Without a source the images are those at `path`, and changed images make another store. It is
    read by `reader(path, split=, key=)`, by default `Folder`, which gets `labels`, `attributes` and `max_corrupt` too
    where they are set, and in `reading` whatever else is set; with such settings it may do without a path.

    C may be `auto`: `channels`, and if that is `auto` too, what the images have (1 if all are gray, else 3); the
    store's shape is always of numbers. With a `patch` = {size, stride} pictures are not fitted but cut into squares,
    and the height and width of `image_shape` are their size. Inputs, where the images have any, get `input_shape`
    (None: the images'), and captions are read by `tokenizer`. `inputs` is a dataset of images that this one's are made
    from, but not one by one. With `sha256` the store of that checksum is meant, wherever its images have gone.
    Where not `aligned`, a stream draws inputs apart from images, each of which has one, so that a game plays as with
    unpaired data and what it makes can still be measured. `num_classes`, when given, is checked against the labels.
    With `classes` the store has the images of those alone, and all but the share `held_out` of them (see
    `gan_lab.data.sources.selected`): another dataset, `rest`, has the others.
    `flip`, `crop` and `turn` are what a stream does to the images (see `gan_lab.data.stream`), `balance` is how often
    it draws each class (see `gan_lab.data.class_weights`), `picture` shows them; none of it changes the store. Raises
    ConfigError naming the key that is wrong.
    """

    config: Mapping[str, Any] | None = None  # what it was built from, where that is known

    def __init__(
        self,
        name: str,
        image_shape: Sequence[int | str],
        source: Source | None = None,
        num_classes: int | None = None,
        fit: str = "crop",
        path: str | None = None,
        split: str = "train",
        channels: int | str | None = None,
        labels: Any = None,
        attributes: Sequence[str] | None = None,
        max_corrupt: int = 0,
        flip: bool = False,
        crop: Sequence[int] | None = None,
        turn: bool = False,
        balance: Any = None,
        aligned: bool = True,
        patch: Mapping[str, int] | None = None,
        input_shape: Sequence[int] | None = None,
        tokenizer: Words | None = None,
        inputs: Dataset | None = None,
        sha256: str | None = None,
        reader: Callable[..., Source] | None = None,
        picture: Callable[..., Any] | None = None,
        classes: Sequence[str | int] | None = None,
        held_out: float = 0.0,
        **reading: Any,
    ) -> None:
        if reading and reader is None:
            raise TypeError(f"takes no {', '.join(reading)}")
        check_values(name, fit, num_classes, {"flip": flip, "turn": turn, "aligned": aligned})
        self.name = str(name)
        self.image_shape = check_image_shape(image_shape, channels, source)
        self.source = source
        self.selection = Selection.of(classes, held_out)
        self.num_classes = num_classes if self.selection.classes is None else len(self.selection.classes)
        self.fit = fit
        self.path = path
        self.split = split
        self.labels = labels.lower() if labels in ("None", "NONE", "Folders") else labels  # as Python writes it
        self.attributes = attributes
        self.max_corrupt = max_corrupt
        self.flip = flip
        self.crop = check_crop(crop)
        self.turn = turn
        check_balance(balance)
        self.balance = balance
        self.aligned = aligned
        self.input_shape = check_input_shape(input_shape)
        self.patch = check_patch(patch)
        if self.patch is not None:
            if source is not None and source.shape is not None:
                raise ConfigError(f"dataset.patch={patch}: {name} has no pictures to cut; leave it null")
            self.image_shape = (self.image_shape[0], self.patch.size, self.patch.size)
            check_scale(self.patch, self.input_shape or (1, self.patch.size, self.patch.size))
        self.tokenizer = tokenizer
        self.inputs = inputs
        self.sha256 = sha256
        self.reader = reader
        self.reading = reading
        self.picture = picture

    @property
    def ready_made(self) -> bool:
        """Whether it has a source of its own."""
        return self.source is not None

    @property
    def mixture(self) -> Mixture | None:
        """The Gaussians that points were drawn from."""
        return self.source if isinstance(self.source, Mixture) else None

    @property
    def stacked(self) -> bool:
        """Whether the channels are images of their own."""
        return isinstance(self.source, Stacked)

    @property
    def parts(self) -> int:
        """How many images an image is made of."""
        return self.store.shape[0] if self.stacked else 1

    @property
    def classes_of_part(self) -> int:
        """How many classes a part has; 0 for data without labels."""
        classes: int = self.store.num_classes or 0
        return round(float(classes ** (1 / self.parts)))

    @property
    def known_words(self) -> Words | None:
        """The tokenizer that its captions were read by, which knows their words; None for data without captions."""
        words = self.store.words
        return None if words is None else (self.tokenizer or Words()).knowing(words)

    @property
    def num_tokens(self) -> int:
        """How many different tokens its captions are written in; 0 for data without captions."""
        return 0 if (known := self.known_words) is None else known.num_tokens

    @property
    def caption_length(self) -> int:
        """How many tokens a caption has; 0 for data without captions."""
        return 0 if self.store.captions is None else self.store.captions.shape[2]

    def batch_shapes(self, degradation: Degradation | None = None) -> tuple[Sides, Sides | None]:
        """`(C, H, W)` of the images of a batch, and of its inputs, where there are any."""
        image, other = self.store.shape, self.store.input_shape
        window, matching, _ = windows(self.crop, image, other)
        image, other = cut_shape(image, window), None if other is None else cut_shape(other, matching)
        if self.inputs is not None:
            other = self.inputs.batch_shapes()[0]
        return image, other if degradation is None else degradation.shape(image)

    def stream(
        self,
        engine: Engine,
        batch_size: int,
        seed: int,
        degradation: Degradation | None = None,
        name: str = "",
        pieces: int = 1,
    ) -> Stream:
        """The endless stream of its batches on the engine's device; of several processes, this one's share of each of
        the `pieces` of a batch. `degradation` makes the inputs of images that have none. Where the inputs are a dataset
        of their own it is an `Unpaired`, which has the same interface."""
        from gan_lab.data.stream import Stream
        from gan_lab.data.unpaired import Unpaired

        def of(degradation: Degradation | None, name: str) -> Stream:
            return Stream(
                self.store,
                batch_size,
                seed,
                engine.device,
                balance=self.balance,
                **self._shown(engine, degradation, name, pieces),
            )

        if self.inputs is not None:
            other = self.inputs.stream(engine, batch_size, seed, name="input", pieces=pieces)
            return cast(Stream, Unpaired(of(degradation, name), other))
        if self.aligned:
            return of(degradation, name)
        if degradation is None and self.store.inputs is None:
            raise ConfigError("dataset.aligned=false: the data has no inputs; choose a degradation or dataset=paired")
        return cast(Stream, Unpaired(of(None, name), of(degradation, "input")))

    def _shown(self, engine: Engine, degradation: Degradation | None, name: str, pieces: int) -> dict[str, Any]:
        """What a stream of it is told: whose share it is, and how images are shown."""
        return {
            "rank": engine.world.rank,
            "world": engine.world.size,
            "pieces": pieces,
            "channels_last": engine.channels_last,
            "flip": self.flip,
            "crop": self.crop,
            "turn": self.turn,
            "degradation": None if degradation is None else degradation.to(engine.device),
            "name": name,
        }

    def samples(self, degradation: Degradation | None = None) -> Stream:
        """The same on the CPU, read through the map and copied nowhere: for whoever wants some samples of it (`at`,
        `peek`)."""
        from gan_lab.data.stream import Stream
        from gan_lab.data.unpaired import Unpaired

        limits: dict[str, Any] = {"resident_limit": 0, "channels_last": False}
        stream = Stream(self.store, 1, 0, **limits, crop=self.crop, degradation=degradation)
        return stream if self.inputs is None else cast(Stream, Unpaired(stream, self.inputs.samples()))

    @cached_property
    def folder(self) -> Path:
        """Where the store is or will be. Without a source, or with `auto` channels, this looks at the images."""
        return self._place(self._local(None))[0]

    @property
    def listed(self) -> int:
        """How many images its source has, before any is read or left out."""
        local = self._local(None)
        source = self.source if local is None else local.source
        return 0 if source is None else len(source)

    @cached_property
    def store(self) -> Store:
        """The store, opened when it is first asked for. Raises as `open` does."""
        return self.open()

    def open(self) -> Store:
        """The store, packed now if it is not there; the source may download.

        Raises GanLabError in one line when the store is damaged, does not come from `path`, or cannot be made.
        """
        return self.pack() if self.sha256 is None else find_again(self.pack, self.sha256)

    def pack(self, from_: str | Path | None = None, force: bool = False) -> Store:
        """Pack from the folder or zip `from_`, else from `path`, else from the source; a store that is there stays.

        `force` packs again. Without a source of its own `from_` is just another `path`. Inputs that are a dataset of
        their own are packed too. Raises as `open` does.
        """
        if from_ is not None and not self.ready_made:
            return self.located(from_).pack(force=force)
        if self.inputs is not None:
            self.inputs.pack(force=force)
        local = self._local(from_)
        folder, shape = self._place(local)
        if not folder.exists() or force:
            store = self._fill(folder, shape, local, force)
        else:
            store = Store(folder)
            if local is not None and self.ready_made and store.card["origin"] != local.source.identity:
                raise ConfigError(
                    f"{local.key}: {self.name} is packed already, from {store.card['source']}; leave {local.key} out "
                    f"to use that, or replace it: gan-lab data pack dataset={self.name} "
                    f"{shlex.quote(f'from={local.path}')} force=true"
                )
        return self._checked(store)

    def _fill(self, folder: Path, shape: Sides, local: UserImages | None, force: bool) -> Store:
        source = local.source if local else self.source
        assert source is not None
        inputs = (self.input_shape or shape) if isinstance(source, Joined) else None
        source = self.selection.of_source(source) if self.selection else source
        key = "dataset.image_shape" if self.patch is None else "dataset.patch"
        count = None if local is None else len(source)
        Need(key, shape, 1 if source.shape is None else 4, inputs, count).check(folder)
        form: dict[str, Any] = {"input_shape": self.input_shape, "tokenizer": self.tokenizer, "patch": self.patch}
        try:
            store = pack(source, shape, self.fit, folder, self.name, force, **form)
        except DownloadError as error:
            raise unavailable(error, self.name, folder, self._decisive()) from error
        for told in tell_changes(store.card) if local is not None else ():
            log.warning("dataset: %s", told)
        return store

    def located(self, path: str | Path) -> Dataset:
        """The same dataset with another `path`."""
        other = self._copy()
        other.path = str(path)
        other.inputs = None if self.inputs is None else self.inputs.located(path)
        return other

    @property
    def rest(self) -> Dataset:
        """The images of the share `held_out`, which this one does not have."""
        other = self._copy()
        other.selection, other.sha256 = self.selection.rest, None
        return other

    def _copy(self) -> Dataset:
        """The same, without what it knows of its store."""
        other = copy.copy(self)
        for known in ("folder", "store"):
            other.__dict__.pop(known, None)
        return other

    def _local(self, from_: str | Path | None) -> UserImages | None:
        """What the user has at hand, if anything is given; a dataset without a source must have something."""
        given, key = (self.path, "dataset.path") if from_ is None else (from_, "from")
        if given is None and self.ready_made:
            return None
        if given is None and not self.reading:
            kind = "FOLDER_OR_ZIP" if self.reader is None else "FILE"
            raise ConfigError(f"dataset.path: say where the images are: dataset={self.name} dataset.path={kind}")
        options = dict(self.reading) | ({} if self.labels is None else {"labels": self.labels})
        options |= {} if self.attributes is None else {"attributes": self.attributes}
        options |= {"max_corrupt": self.max_corrupt} if self.max_corrupt else {}
        local = read_user_images(self.reader, given, self.split, key, options)
        return local if self.source is None else local._replace(source=self.source.replaced_by(local.source))

    def _place(self, local: UserImages | None) -> tuple[Path, Sides]:
        """Where the store is, one folder for each source, shape and fit; and that shape, channels settled."""
        places = self._places(local)
        channels, height, width = self.image_shape
        if channels == AUTO:
            source = self.source if local is None else local.source
            assert source is not None
            try:
                channels = noted_channels(places.values()) or source.channels
            except DownloadError as error:
                raise unavailable(error, self.name, data_root(), self._decisive()) from error
        return places[channels], (channels, height, width)

    def _places(self, local: UserImages | None) -> dict[int, Path]:
        """Where the store is for each number of channels that the images may have."""
        source = self.source if self.source is not None else local.source if local is not None else None
        assert source is not None  # _local has complained
        channels, height, width = self.image_shape
        more = [] if self.input_shape is None else [f"input {self.input_shape}"]
        more += [] if self.patch is None else [f"patch {self.patch.size} {self.patch.stride}"]
        more += [] if self.tokenizer is None else [self.tokenizer.identity]
        more += [str(self.selection)] if self.selection else []
        counts = MODES if channels == AUTO else (channels,)
        return {count: folder_of(self.name, (count, height, width), self.fit, source, more) for count in counts}

    def _decisive(self) -> dict[str, Any]:
        """The keys that decide what is stored, as a user types them, without those that are as datasets have them."""
        classes, held_out = self.selection.classes, self.selection.held_out
        settings: dict[str, Any] = {} if self.patch else {"image_shape": list(self.image_shape)}
        settings |= {} if self.split == "train" else {"split": self.split}
        settings |= {} if self.fit == "crop" else {"fit": self.fit}
        settings |= {"patch": f"{{size:{self.patch.size},stride:{self.patch.stride}}}"} if self.patch else {}
        settings |= {} if classes is None else {"classes": f"[{','.join(classes)}]"}
        return settings | ({"held_out": held_out} if held_out else {})

    def stored(self) -> list[Path]:
        """The folders of its stores that are there, those of inputs too. Nothing is packed or downloaded."""
        found = [folder for folder in self._places(self._local(None)).values() if folder.exists()]
        return found + ([] if self.inputs is None else self.inputs.stored())

    def _checked(self, store: Store) -> Store:
        classes = store.classes
        if told := store.card.get("unlabelled"):
            if self.num_classes is not None:
                raise ConfigError(f"dataset.num_classes={self.num_classes}: {told}")
            log.warning("dataset: %s", told)
        if store.attributes is not None and self.num_classes is not None:
            raise ConfigError(
                f"dataset.num_classes={self.num_classes}: {self.name} has no classes but {len(store.attributes)} "
                f"attributes ({listed(store.attributes)}); set dataset.num_classes=null"
            )
        if classes is not None and self.num_classes is not None and len(classes) != self.num_classes:
            shown = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
            raise ConfigError(
                f"dataset.num_classes={self.num_classes}: {self.name} has {len(classes)} classes ({shown}); "
                f"set dataset.num_classes={len(classes)}, or null"
            )
        return store


def check_values(name: str, fit: str, num_classes: int | None, switches: Mapping[str, bool]) -> None:
    """Raise ConfigError for what a dataset cannot be told."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", str(name)):
        raise ConfigError(f"dataset.name={name}: letters, digits, _ . and - only; it names a folder")
    if fit not in FITS:
        raise ConfigError(f"dataset.fit={fit}: choose {', '.join(FITS)}")
    if num_classes is not None and (type(num_classes) is not int or num_classes < 1):
        raise ConfigError(f"dataset.num_classes={num_classes}: a whole number above 0, or null")
    for key, value in switches.items():
        if type(value) is not bool:
            raise ConfigError(f"dataset.{key}={value}: true or false")


def build_dataset(node: Mapping[str, Any], store: Store | None = None) -> Dataset:
    """The dataset that a configuration describes, which it remembers; with its store, where that is open already."""
    dataset: Dataset = build(node, "dataset")
    dataset.config = node
    if store is not None:
        dataset.store = store
    return dataset
