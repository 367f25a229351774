"""Images from pictures with a hole: translation whose generator tells what it made before the known pixels were put
back."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from gan_lab.algorithms.duel import Duel, Fake, column
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.translation import Translation, input_of
from gan_lab.data.batch import Batch
from gan_lab.layers.hole import Drafts, middle
from gan_lab.losses.regularizers import Pairs

DRAFTS = ("fine", "coarse")


class Inpainting(Translation):
    """The discriminator judges whole pictures, in which all that was known is as it was. Beside `target` there are the
    pairs `fine` and `coarse`: what the generator, and a first network of it, had made of known and missing pixels alike
    (Yu et al. 2018, arXiv:1806.03589, section 3.4), and the image, or as much of its middle as was made."""

    pairs: ClassVar[tuple[str, ...]] = ("target", *DRAFTS)
    data = "pictures with holes (degradation=mask)"

    def __init__(self, game: Game, condition: str | None = "input") -> None:
        super().__init__(game, condition)
        self.duel = self.add_duel(DraftingDuel(game, input_of, condition=condition))

    def compared(self, batch: Batch, fake: Fake) -> Pairs:
        drafts = zip(DRAFTS, fake.drafts, strict=False)
        return {
            "target": (fake.image, batch.image),
            **{name: (draft, middle(batch.image, *draft.shape[2:])) for name, draft in drafts},
        }


class DraftingDuel(Duel):
    """Keeps a generator's drafts beside its images."""

    def make(self, source: Tensor, batch: Batch) -> Fake:
        condition = column(batch, self.generator_condition)
        drafts: Drafts = self.generator(source, condition, drafts=True)
        made = tuple(draft for draft in drafts[1:] if draft is not None)
        return Fake(drafts.image.float(), source, condition, made)
