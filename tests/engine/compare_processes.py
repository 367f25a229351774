"""Every model, loss, regularizer and technique at tiny size, played by 1 process and by 2 (or as many as are named):
how far their gradients are apart, in float64 and in float32, and how far the ranks' weights. Not part of the tests:
`python -m tests.engine.compare_processes [processes] [words of the case...]`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from gan_lab.errors import GanLabError
from tests.compose import choices
from tests.engine.processes import Played, apart, config_of, play, several

ROUNDS = 2
WITH = {
    "auxiliary_classifier": "model=acgan",
    "activation_checkpointing": "model=wgan_gp_resnet",
    "path_length_style": "model=stylegan2",
}
MORE = {  # beside the plain choice of a name
    "path_length": ("loss.regularizers.path_length.every=1",),
    "lecam": ("loss.regularizers.lecam.begin=0",),
    "adaptive_augmentation": ("augmentation.adaptive.interval=1", "augmentation.adaptive.speed=100"),
    "top_k": ("wrappers.adversarial.top_k.fraction=0.5",),
    "several_discriminators": ("wrappers.adversarial.several_discriminators.aggregate=softmax",),
}
OTHERS = (
    ("model=gan", "trainer.accumulation=2"),
    ("model=dcgan", "trainer.accumulation=2"),
    ("model=dcgan", "algorithm.reuse_fake=false"),
    ("model=sngan", "algorithm.generator_batch=3", "trainer.accumulation=2"),
    ("model=dcgan", "trainer.accumulation=2", "augmentation=diffaugment"),
    ("model=wgan_gp", "trainer.accumulation=2", "algorithm.critic_steps=2"),
    ("model=gan", "+technique=[packing]"),
    ("model=gan", "+technique=[packing]", "trainer.accumulation=2"),
    ("model=gan", "+technique=[packing,minibatch_stddev]", "wrappers.discriminator.minibatch_stddev.group=2"),
    ("model=dcgan", "+technique=[minibatch_stddev]", "trainer.accumulation=2"),
    ("model=dcgan", "+technique=[minibatch_stddev]", "wrappers.discriminator.minibatch_stddev.group=null"),
    ("model=dcgan", "+technique=[unrolled]", "algorithm.unroll_steps=2", "loss/regularizers=[r1]"),
    ("model=gan", "+technique=[unrolled]", "algorithm.unroll_steps=2"),
    ("model=dcgan", "loss/regularizers=[r1,r2,gradient_penalty,path_length]"),
    ("model=sngan", "trainer.accumulation=2"),
    ("model=acgan", "trainer.accumulation=2"),
    ("model=biggan", "+technique=[activation_checkpointing]"),
    ("model=conv_gan", "trainer.accumulation=2"),
    ("model=dcgan", "+technique=[several_discriminators,top_k]", "wrappers.adversarial.top_k.fraction=0.5"),
    ("model=dcgan", "dataset.flip=true", "+technique=[diffaugment,lecam]"),
    ("model=toy_translation",),
    ("model=toy_cycle", "algorithm.pool=16"),
    ("model=toy_cycle", "algorithm.pool=16", "trainer.accumulation=2"),
    ("model=cut", "algorithm.mirrored=0.5", "algorithm.patches=16", "degradation=noise", "trainer.accumulation=2"),
    ("model=toy_pyramid",),
    ("model=toy_growing", "algorithm.grow_at=16"),
    ("model=progressive", "algorithm.stages.stable_images=8", "algorithm.stages.fade_images=64"),
    ("model=stylegan", "algorithm.stages.stable_images=8", "algorithm.stages.fade_images=64"),
    ("model=progressive_conditional", "algorithm.stages.stable_images=8", "algorithm.stages.fade_images=64"),
    ("model=toy_translation", "degradation=noise", "trainer.accumulation=2"),
    ("model=dcgan", "dataset=stacked_digits", "+technique=[instance_noise]"),
)


def cases() -> Iterator[tuple[str, ...]]:
    for model in choices("model"):
        yield (f"model={model}",)
    for loss in choices("loss"):
        yield ("model=acgan" if "auxiliary" in loss else "model=dcgan", f"loss={loss}")
    for regularizer in choices("loss/regularizers"):
        yield (WITH.get(regularizer, "model=dcgan"), f"loss/regularizers=[{regularizer}]", *MORE.get(regularizer, ()))
    for technique in choices("technique"):
        yield (WITH.get(technique, "model=dcgan"), f"+technique=[{technique}]", *MORE.get(technique, ()))
    yield from OTHERS


def play_all(folder: Path, chosen: list[tuple[str, ...]], batch: int) -> list[dict[bool, Played] | str]:
    """Every case in float64 and float32, or why it is refused."""
    played: list[dict[bool, Played] | str] = []
    for overrides in chosen:
        config = config_of(f"trainer.batch_size={batch}", *overrides)
        try:
            played.append({double: play(folder, config, ROUNDS, double) for double in (True, False)})
        except GanLabError as error:
            played.append(f"refused: {str(error)[:150]}")
    return played


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    words = [word for word in sys.argv[1:] if not word.isdigit()]
    size = numbers[0] if numbers else 2
    chosen = [case for case in cases() if all(word in " ".join(case) for word in words)]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        alone = play_all(Path(folder), chosen, 8 * size)
        together = several(size, Path(folder) / "several", partial(play_all, chosen=chosen, batch=8 * size))
        print(f"{'gradients: float64':>18} {'float32':>8} {'weights':>8} {'ranks':>6} {'random':>6}  case")
        for index, case in enumerate(chosen):
            one, others = alone[index], [rank[index] for rank in together]
            if isinstance(one, str) or any(isinstance(other, str) for other in others):
                print(f"{one if isinstance(one, str) else others}  {' '.join(case)}")
                continue
            line = compared(one, others)  # type: ignore[arg-type]
            print(f"{line}  {' '.join(case)}", flush=True)
        print(f"{time.perf_counter() - began:.0f} s")


def compared(one: dict[bool, Played], others: list[dict[bool, Played]]) -> str:
    first = others[0]
    by_double = {
        double: max(apart(a, b) for a, b in zip(one[double].gradients, first[double].gradients, strict=True))
        for double in (True, False)
    }
    weights = apart(one[False].weights, first[False].weights)
    ranks = max(apart(first[d].weights, other[d].weights) for other in others[1:] for d in (True, False))
    same = all(torch.equal(one[d].random, other[d].random) for other in others for d in (True, False))
    return (
        f"{by_double[True]:18.1e} {by_double[False]:8.1e} {weights:8.1e} {ranks:6.1e} {'same' if same else 'OTHER':>6}"
    )


if __name__ == "__main__":
    main()
