"""The sizes that pictures have before they are fitted to the shape of a store, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray
from PIL import Image

UNLIKE = 2  # times the proportions of the store
LOSSES = {
    "crop": "lose more than half to dataset.fit=crop (pad keeps all)",
    "pad": "fill less than half with dataset.fit=pad (crop fills all)",
    "stretch": f"are stretched to more than {UNLIKE} times their proportions by dataset.fit=stretch (crop keeps them)",
}


class Sizes:
    """Counted while a store of images of `shape` = `(C, H, W)` is filled."""

    def __init__(self, shape: Sequence[int], how: str) -> None:
        self.height, self.width = shape[1:]
        self.how = how
        self.smallest: tuple[int, int] | None = None
        self.largest: tuple[int, int] | None = None
        self.count = self.enlarged = self.unlike = 0

    def add(self, picture: Image.Image | NDArray[Any]) -> None:
        width, height = picture.size if isinstance(picture, Image.Image) else (picture.shape[2], picture.shape[1])
        across, down = self.width / width, self.height / height
        self.smallest = min(self.smallest or (width, height), (width, height), key=_area)
        self.largest = max(self.largest or (width, height), (width, height), key=_area)
        self.count += 1
        self.enlarged += (min if self.how == "pad" else max)(across, down) > 1
        self.unlike += max(across / down, down / across) > UNLIKE

    def card(self) -> dict[str, Any]:
        """What the card of the store says of them."""
        return {
            "smallest": self.smallest,
            "largest": self.largest,
            "pictures": self.count,
            "enlarged": self.enlarged,
            "unlike": self.unlike,
        }


def tell_sizes(card: Mapping[str, Any], of: str = "sizes") -> str | None:
    """What a store's card says of them (`of` input_sizes: of those of inputs), in a line; None where it does not."""
    sizes = card.get(of)
    if not isinstance(sizes, Mapping):
        return None
    smallest, largest = ("x".join(map(str, sizes[name])) for name in ("smallest", "largest"))
    told = smallest if smallest == largest else f"{smallest} to {largest}"
    total = sizes["pictures"]
    told += f" on disk, {sizes['enlarged']} of {total} are enlarged" if sizes["enlarged"] else " on disk"
    return told + (f", {sizes['unlike']} of {total} {LOSSES[card['fit']]}" if sizes["unlike"] else "")


def tell_changes(card: Mapping[str, Any]) -> Iterator[str]:
    """The same for images and inputs of which some are enlarged, or have other proportions than the store."""
    for of, what, column in (("sizes", "images", "image"), ("input_sizes", "inputs", "input")):
        sizes = card.get(of)
        if sizes is not None and (sizes["enlarged"] or sizes["unlike"]):
            shape = card["shape"] if column == "image" else card["columns"][column]["shape"]
            yield f"{what} become {shape[2]}x{shape[1]}: {tell_sizes(card, of)}"


def _area(size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    return size[0] * size[1], size
