"""`gan-lab VERB --help`: the template that Hydra has under `hydra.help`, filled in without starting Hydra.

Hydra copies its whole repository once for every group that it lists, which takes seconds as the groups grow.
"""

from __future__ import annotations

from string import Template
from textwrap import fill

import yaml  # type: ignore[import-untyped]

from gan_lab import config
from gan_lab.command_line.choices import Choices


def page(known: Choices) -> str:
    """The help of one verb, its config groups listed with the choices that are there now."""
    path = config.CONFIG_DIR / "hydra" / "help" / f"{known.verb}.yaml"
    template = Template(yaml.safe_load(path.read_text(encoding="utf-8"))["template"])
    lines = [
        fill(f"  {group:<20} {', '.join(choices)}", width=100, subsequent_indent=" " * 23, break_on_hyphens=False)
        for group, choices in known.groups().items()
    ]
    return template.substitute(APP_CONFIG_GROUPS="\n".join(lines) + "\n").rstrip()
