"""Which tests are nearest to a file: cheap ones first, since the first that fails ends the matter."""

from __future__ import annotations

import functools
import re
from pathlib import Path

WIRING, PRESETS, GOLDEN = "tests/algorithms/test_wiring.py", "tests/test_presets.py", "tests/test_golden.py"
TECHNIQUES, COMPONENTS = "tests/wrappers/test_techniques.py", "tests/models/test_components.py"
DEAR = re.compile(r"tests/(verbs|jobs|tuning|toys|command_line|engine/test_distributed|test_(?!golden|presets))")
MOST = 6  # test files beside those that are named here
FURTHER = {"gan_lab/training/start.py": ["tests/test_train.py", "tests/test_stored_runs.py"]}
ROOMS = {
    "gan_lab/losses": [WIRING, "tests/losses/test_regularizers.py", GOLDEN],
    "gan_lab/algorithms": [
        WIRING,
        "tests/algorithms/test_noise_to_image.py",
        "tests/algorithms/test_unrolled.py",
        GOLDEN,
    ],
    "gan_lab/augmentations": ["tests/augmentations/test_chain.py", GOLDEN],
    "gan_lab/layers": ["tests/models/test_networks.py", COMPONENTS, GOLDEN],
    "gan_lab/models": [
        "tests/models/test_networks.py",
        COMPONENTS,
        "tests/models/test_conditional_networks.py",
        GOLDEN,
    ],
    "gan_lab/metrics": ["tests/metrics/test_base.py", "tests/metrics/test_evaluation.py"],
    "gan_lab/wrappers": [WIRING, TECHNIQUES, COMPONENTS],
    "gan_lab/engine": ["tests/algorithms/test_noise_to_image.py", WIRING, GOLDEN],
    "gan_lab/training": ["tests/training/test_rounds.py", "tests/training/test_trainer.py", GOLDEN],
    "configs": [PRESETS, "tests/test_choices.py", TECHNIQUES, COMPONENTS, GOLDEN],
    "configs/experiment": ["tests/reproduction/test_band.py", "tests/test_readme_tables.py"],
}


def nearest(tree: Path, path: str) -> list[str]:
    """The test files for a file of the tree, those that there are: the one that mirrors it, those that name its module
    (from its own room first), then those of its room."""
    parts = Path(path).parts
    room = "/".join(parts[:2])
    room = "configs" if parts[0] == "configs" and room not in ROOMS else room
    stem = Path(path).stem
    if room == "configs/experiment":
        mirrors, naming = ["tests/test_recipes.py"], []
    elif room == "configs":
        mirrors = [
            f"tests/{folder}/test_{stem}.py" for folder in ("models", "losses", "augmentations", "metrics", "wrappers")
        ]
        naming = []
    else:
        mirrors = [f"tests/{'/'.join(parts[1:-1])}/test_{stem}.py"]
        naming = importers(tree, ".".join(Path(path).with_suffix("").parts), f"tests/{parts[1]}/")
    wanted = [
        *mirrors,
        *FURTHER.get(path, []),
        *[each for each in naming if each not in mirrors][:MOST],
        *ROOMS.get(room, []),
    ]
    return [each for each in dict.fromkeys(wanted) if (tree / each).exists()]


def importers(tree: Path, module: str, room: str) -> list[str]:
    """The cheap test files that import a module, small ones first."""
    package, _, name = module.rpartition(".")
    words = re.compile(rf"(from|import) {re.escape(module)}\b|from {re.escape(package)} import [^\n]*\b{name}\b")
    names = [name for name, text in texts_of_tests(tree) if words.search(text)]
    return sorted((each for each in names if not DEAR.match(each)), key=lambda each: not each.startswith(room))


@functools.cache
def texts_of_tests(tree: Path) -> list[tuple[str, str]]:
    """Every test file with its text, the small ones first."""
    texts = [(path.relative_to(tree).as_posix(), path.read_text()) for path in (tree / "tests").rglob("test_*.py")]
    return sorted(texts, key=lambda each: len(each[1]))
