"""Mutants that no operator makes: who is told what in a round, and numbers that tests once did not hold.

(file, what stands there, what shall stand there). Where the first is not found exactly once, the mutant is out of date,
which `--list` says.
"""

from __future__ import annotations

DUEL, BASE = "gan_lab/algorithms/duel.py", "gan_lab/algorithms/base.py"
NOISE, UNROLLED = "gan_lab/algorithms/noise_to_image.py", "gan_lab/algorithms/unrolled.py"
DIFFAUGMENT, REGULARIZERS = "gan_lab/augmentations/diffaugment.py", "configs/loss/regularizers"
FLIPPED = "(None if {0} is None else {0}.flip(0))"

BY_HAND = [
    # who sees what
    (
        DUEL,
        "return self.critique(real, condition), self.critique(fake, condition)",
        "return self.critique(real, condition), in_fp32(of(self.discriminator(fake, condition)))",
    ),
    (DUEL, "self.discriminator(self.augmentation(images), condition)", "self.discriminator(images, condition)"),
    (DUEL, "of(discriminator(self.augmentation(images), condition))", "of(discriminator(images, condition))"),
    (
        DUEL,
        "Fake(self.generator(source, condition).float()",
        f"Fake(self.generator(source, {FLIPPED.format('condition')}).float()",
    ),
    (DUEL, "generator(source, fake.condition)", f"generator(source, {FLIPPED.format('fake.condition')})"),
    (DUEL, "torch.cat((condition, condition))", "torch.cat((condition, condition.flip(0)))"),
    (DUEL, "torch.cat((real, fake))", "torch.cat((fake, real))"),
    (DUEL, "labels=batch.label", f"labels={FLIPPED.format('batch.label')}"),
    (DUEL, "latent=fake.source", "latent=fake.source.flip(0)"),
    (DUEL, "real=batch.image", "real=batch.image.flip(0)"),
    (DUEL, "condition=condition,\n            latent", "condition=None,\n            latent"),
    (DUEL, "fake=fake.image", "fake=fake.image.detach()"),
    (DUEL, "fake._replace(image=fake.image.detach())", "fake"),
    (DUEL, "of_images(both, slice(0, count)), of_images(both, slice(count, None))", "both, both"),
    (DUEL, "if not self.one_pass or real.shape", "if real.shape"),
    (DUEL, "mover=mover", "mover=self.generator"),
    (DUEL, "self._adapt(real)", "self._adapt(fake)"),
    (DUEL, "regularizer.weight * regularizer.every", "regularizer.weight"),
    (DUEL, "if regularizer.player == player and name in due", "if name in due"),
    (DUEL, "if regularizer.player == player and name in due", "if regularizer.player == player"),
    (BASE, "self.constrain(player)", "pass"),
    (BASE, "constraint.player == player == kind_of(role)", "constraint.player == player"),
    (BASE, "if step >= self.game.adversarial_from", "if step >= 0"),
    (BASE, "batch.split(self.accumulation)", "batch.split(1)"),
    (BASE, "base * factor", "base"),
    (NOISE, "*earlier, last = batches", "last, *earlier = batches"),
    (NOISE, "self.move_generator(last, due, second)", "self.move_generator(batches[0], due, second)"),
    (NOISE, "self.move_generator(last, due, second)", "self.move_generator(last, due, None)"),
    (NOISE, "lambda piece: self.duel.make(next(second), piece)", "lambda piece: self.duel.fake(piece)"),
    (NOISE, "batch.repeated(times)", "batch"),
    (NOISE, "if self.accumulation == 1:", "if True:"),
    (UNROLLED, "return -self.inner.discriminator(real, fake)", "return self.inner.discriminator(real, fake)"),
    (UNROLLED, "self._judged(batch, fake, due, ignore)", "self._judged(batch, fake, due, self.note)"),
    (UNROLLED, "self._clip(lookahead)\n        present", "pass\n        present"),
    (UNROLLED, "with self._memory_set_aside():", "if True:"),
    ("gan_lab/training/memory/dry_round.py", "game.all_due()", '("adversarial",)'),
    ("gan_lab/training/rounds.py", "algorithm.follow_averages()", "pass"),
    ("gan_lab/training/rounds.py", "algorithm.advance_averages(step)", "pass"),
    ("gan_lab/training/rounds.py", "algorithm.schedule_step(step)\n", "pass\n"),
    ("gan_lab/training/rounds.py", "algorithm.advance(images)", "pass"),
    (
        "gan_lab/training/rounds.py",
        "seed_round(self.seed, step, algorithm.engine.device)\n        alg",
        "pass\n        alg",
    ),
    ("gan_lab/engine/engine.py", "backward(inputs=parameters)", "backward()"),
    ("gan_lab/engine/engine.py", "(total * share)", "(total * 1.0)"),
    ("gan_lab/engine/engine.py", "            parameter.grad = None", "            pass"),
    # ranges and numbers that tests once did not hold
    (DIFFAUGMENT, "images + (_uniform(images) - 0.5)", "images + 0.5 * (_uniform(images) - 0.5)"),
    (DIFFAUGMENT, "(images - grey) * (2 * _uniform(images))", "(images - grey) * (0.5 + _uniform(images))"),
    (DIFFAUGMENT, "(_uniform(images) + 0.5)", "(0.2 * _uniform(images) + 0.9)"),
    ("gan_lab/metrics/sliced_wasserstein.py", "= 1000 * _distance", "= 100 * _distance"),
    ("gan_lab/models/sngan.py", ".sum((2, 3))", ".mean((2, 3))"),
    ("gan_lab/models/biggan.py", ".sum((2, 3))", ".mean((2, 3))"),
    ("gan_lab/models/sagan.py", ".sum((2, 3))", ".mean((2, 3))"),
    (f"{REGULARIZERS}/latent_consistency.yaml", "weight: 5.0", "weight: 50.0"),
    (f"{REGULARIZERS}/balanced_consistency.yaml", "weight: 10.0\n  every: 1 #", "weight: 1.0\n  every: 1 #"),
    (f"{REGULARIZERS}/lecam.yaml", "weight: 0.3", "weight: 3.0"),
    (f"{REGULARIZERS}/path_length.yaml", "weight: 2.0", "weight: 20.0"),
    (f"{REGULARIZERS}/gradient_penalty.yaml", "weight: 10.0", "weight: 1.0"),
    ("configs/loss/constraints/weight_clipping.yaml", "bound: 0.01", "bound: 0.1"),
    ("configs/technique/top_k.yaml", "end: 0.5", "end: 0.05"),
    ("configs/augmentation/adaptive.yaml", "target: 0.6", "target: -0.6"),
    ("configs/augmentation/adaptive.yaml", "speed: 500_000", "speed: 5_000"),
    ("configs/metrics/kid.yaml", "subset_size: 1000", "subset_size: 100"),
    ("configs/metrics/precision_recall.yaml", "k: 3", "k: 5"),
    ("configs/model/acgan.yaml", "dropout: 0.5", "dropout: 0"),
]
