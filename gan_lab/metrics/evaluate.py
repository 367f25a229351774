"""One evaluation: images from a sampler go through an extractor to every metric, a part at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.data.dataset import build_dataset
from gan_lab.data.store import Store
from gan_lab.engine.tf32 import without_tf32
from gan_lab.errors import ConfigError, GanLabError, describe
from gan_lab.features.extractor import Extractor
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.accumulators import Accumulators
from gan_lab.metrics.base import Fewest, Measure
from gan_lab.metrics.figure import Figure, Value
from gan_lab.metrics.reference import Reference, choose
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler

log = logging.getLogger(__name__)

STANDARD = 50_000  # generated images of a published FID


def applicable(
    measures: Mapping[str, Measure], reference: Reference, sampler: Sampler | None = None, n: int | None = None
) -> tuple[dict[str, Measure], dict[str, str]]:
    """The measures that can be taken of this data (and of `n` images that this sampler makes), and why the others
    cannot."""
    refused = {}
    for name, measure in measures.items():
        why = None if sampler is None else _why_not_of(measure, sampler)
        if not (measure.paired or reference.inputs.one_size):
            why = "whole pictures, of many sizes, can be compared with their targets only (metrics=super_resolution)"
        try:
            why = why or measure.why_not(reference) or _too_few(measure.fewest(reference), reference, n)
        except GanLabError:
            raise  # what was asked for is not there
        except Exception as error:
            why = describe(error)
        if why is not None:
            refused[name] = why
    return {name: measure for name, measure in measures.items() if name not in refused}, refused


def cautions(measures: Mapping[str, Measure], reference: Reference, n: int) -> list[str]:
    """A line for each measure whose figure of `n` images would be a bad one."""
    lines = []
    for name, measure in measures.items():
        try:
            caution = measure.caution(reference, n)
        except Exception as error:
            caution = f"may come to nothing: {describe(error)}"
        if caution is not None:
            lines.append(f"metrics: {name} {caution}")
    return lines


def _too_few(fewest: Fewest, reference: Reference, n: int | None) -> str | None:
    count, made = len(reference.data.store), fewest.generated if n is None else n
    if count >= fewest.real and made >= fewest.generated:
        return None
    needs = f"it needs {fewest.real} images of the data and {fewest.generated} generated ones"
    return f"{needs}, and there are {count} and n={made}"


def _why_not_of(measure: Measure, sampler: Sampler) -> str | None:
    if measure.labels and not sampler.num_classes:
        return "the generator takes no labels"
    if measure.paired and "input" not in sampler.takes:
        return "the generator takes no input, so no image answers another"
    if measure.captions and "caption" not in sampler.takes:
        return "the generator reads no captions"
    return None


def extractor_for(measures: Mapping[str, Measure], node: Mapping[str, Any]) -> Extractor:
    """What the configuration's `extractor` describes; where no measure looks at features, one that needs nothing, while
    that one may have to be trained."""
    extractor: Extractor = build(node, "extractor")
    return extractor if any(measure.features for measure in measures.values()) else Pixels()


def reference_for(
    sampler: Sampler,
    config: Mapping[str, Any],
    extractor: Extractor,
    device: torch.device,
    inputs: str | None,
    key: str,
    store: Store | None = None,
    whole: bool = False,
) -> Reference:
    """The data of a run's configuration (with its `store`, where that is open already) as an extractor, which is made
    ready, sees it; and for a sampler that needs inputs or captions, the samples that it is asked by: those that
    `inputs` means, with `whole` as pictures of any size (see `Reference.take_inputs`). Another sampler has no use for
    those, which is a warning. Raises ConfigError, naming `key`, where they are not there."""
    data = build_dataset(config["dataset"], store)
    extractor.prepare(data, device)
    split = str(config["dataset"].get("split", "train"))
    reference = Reference(data, extractor, split, device, config.get("degradation"))
    if inputs is not None and not sampler.needs:
        log.warning("%s=%s: is of no effect, since this generator makes its images from nothing", key, inputs)
    if sampler.needs:
        reference.take_inputs(inputs, key, whole, int(getattr(sampler.network, "multiple", 1)))
        asked = reference.inputs
        batch = asked.batch(choose(1, len(asked)))
        for column in sampler.needs:
            if getattr(batch, column) is None:
                raise ConfigError(f"{key}: {asked.store.name} ({asked.split}) has no {column} to make images from")
        log.info("metrics    images are made from the %d samples of the split %s", len(asked), asked.split)
    return reference


def count_for(sampler: Sampler, reference: Reference, n: int) -> int:
    """How many images can be asked for: `n`, and of a sampler that answers samples of the data at most one each."""
    return min(n, len(reference.inputs)) if sampler.needs else n


def requests(sampler: Sampler, reference: Reference, n: int, seed: int) -> Iterator[tuple[Request, Batch | None]]:
    """What a sampler is asked for `n` images: a seed's, with classes as often as they occur in the data; or where it
    needs inputs or captions, those of `n` samples of `reference.inputs`, which are handed on beside each request."""
    if not sampler.needs:
        labels = reference.labels(len(reference.data.store)) if sampler.num_classes else None
        yield Request(n, seed, label=sampler.labels_like(labels, n, seed)), None
        return
    codes = sampler.codes_of_seed(n, seed)
    places = choose(n, len(reference.inputs))
    at_once = min(sampler.AT_ONCE, reference.inputs.AT_ONCE)
    for start in range(0, n, at_once):
        part = slice(start, start + at_once)
        batch = reference.inputs.batch(places[part])
        yield sampler.request_for(batch, seed, None if codes is None else codes[part]), batch


@without_tf32()
def measure(
    sampler: Sampler,
    reference: Reference,
    measures: Mapping[str, Measure],
    n: int,
    seed: int,
    about: Mapping[str, Any],
    tell: Callable[[int], None] = lambda done: None,
    failed: dict[str, Exception] | None = None,
) -> list[Figure]:
    """Take every measure of `n` images that `seed` asks of the sampler, or of as many as the data has inputs for.
    `about` goes on the cards (step, averaged or not, precision); `tell` hears how many images are done. A measure that
    fails is put into `failed`, and the others are taken; None: it raises. Draws nothing from the global random
    generators.
    """
    n = count_for(sampler, reference, n)
    accumulators = Accumulators(measures, reference, n, failed)
    done = 0
    for request, batch in requests(sampler, reference, n, seed):
        seen = 0
        for images in sampler.images(request):
            part = slice(seen, seen + len(images))
            labels = None if request.label is None else request.label[part]
            accumulators.add(images, labels, None if batch is None else batch.part(part))
            seen += len(images)
            done += len(images)
            tell(done)
    card = {**about, "seed": seed} | ({"inputs": reference.inputs.card} if sampler.needs else {})
    return [figure(value, measures[name], reference, n, card) for name, value in accumulators.values()]


def figure(value: Value, measure: Measure, reference: Reference, n: int, about: Mapping[str, Any]) -> Figure:
    """A value with its name and its card."""
    extractor = reference.extractor
    used = measure.features and not measure.about_of(reference)
    tag = f"{extractor.name}-{extractor.resizer}" if used else measure.about_of(reference)
    name = f"{value.name}/{tag}-{n}"
    standard = used and extractor.standard and n == STANDARD and reference.split == "train" and "inputs" not in about
    if standard and value.name == "fid":
        name = "fid"
    if "truncation" in about:
        name = f"{name}-truncation-{about['truncation']:g}"
    card = {
        "metric": value.name,
        "settings": measure.settings_of(reference, n),
        "reference": (reference.inputs if measure.paired else reference).card,
        "n": n,
        "extractor": extractor.name if used else measure.about_of(reference),
        "resizer": extractor.resizer if used else "native",
        "weights": extractor.identity if used else None,
        "accuracy": extractor.accuracy if used else None,
        **about,
    }
    return Figure(name, value.value, value.spread, value.lower_is_better, card)
