"""`gan-lab tune resume=STUDY`, `gan-lab ablate resume=FOLDER`: everything comes from the folder's own file.

As with a run, the stored overrides are data that anybody may have written, and are admitted under the same rules. What
is typed beside `resume=` may not change what is compared: only how it is computed, and how much of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gan_lab.command_line.overrides import merge, quote, read, unquote
from gan_lab.command_line.stored_overrides import COMPUTING, admitted, is_among
from gan_lab.errors import ConfigError
from gan_lab.records.sweep import read_json

FILES = {"tune": "study.json", "ablate": "ablation.json"}
MORE = {"tune": ("trials", "pruner"), "ablate": ("seeds", "techniques", "show")}


def resumed(verb: str, words: Sequence[str]) -> list[str]:
    """The overrides with which to go on: the folder's, then `words`, then the folder; without resume= just `words`."""
    value = next((unquote(read(word).value or "") for word in words if read(word).key == "resume"), "")
    if value in ("", "null"):
        return list(words)
    folder = Path(value).expanduser().absolute()
    typed = [word for word in words if read(word).key != "resume"]
    file = folder / FILES[verb]
    stored = read_json(file).get("overrides")
    if stored is None:
        what = "is not the folder of such a call (no " + FILES[verb] + ")" if folder.exists() else "does not exist"
        raise ConfigError(f"resume={value} {what}")
    free = ("workers", *COMPUTING, *MORE[verb])
    for word in typed:
        if not is_among(read(word).key, free):
            raise ConfigError(
                f"{word}: cannot change once begun; start anew, or leave it out (may change: {', '.join(free)})"
            )
    own = [f"resume={quote(str(folder))}", f"hydra.run.dir={quote(str(folder))}"]
    return [*merge(admitted(file, stored, typed), typed), *own]
