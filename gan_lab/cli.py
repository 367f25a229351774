"""The `gan-lab` command: a verb, then whatever Hydra takes. Imports no torch, and no Hydra for its own help."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gan_lab import __version__
from gan_lab.command_line import flags as flag_words
from gan_lab.command_line.console import escape_unprintable, say, silence
from gan_lab.command_line.nearest import nearest
from gan_lab.command_line.verbs import VERBS, Verb, meant
from gan_lab.errors import ConfigError

HELP = """\
gan-lab {version}: generative adversarial networks, from a config

usage: gan-lab VERB [group=choice] [key=value] [flags]

verbs:
{verbs}

examples:
  gan-lab train
  gan-lab train model=dcgan dataset=cifar10 trainer.max_steps=20000
  gan-lab train resume=outputs/dcgan-digits/RUN
  gan-lab sample run=outputs/dcgan-digits/RUN n=16
  gan-lab translate run=outputs/pix2pix-paired/RUN input=pictures out=translated
  gan-lab upscale run=outputs/edsr-folder/RUN input=photo.jpg out=larger
  gan-lab evaluate run=outputs/dcgan-digits/RUN metrics=[fid,kid]
  gan-lab compare outputs/dcgan-digits/RUN outputs/gan-digits/RUN
  gan-lab runs sort=fid
  gan-lab doctor outputs/dcgan-digits/RUN
  gan-lab bench model=dcgan dataset=cifar10
  gan-lab tune model=gan_small space=learning_rates trials=16
  gan-lab ablate model=points dataset=grid techniques=all seeds=3
  gan-lab reproduce gan seeds=3
  gan-lab import network.pkl
  gan-lab data pack dataset=cifar10 from=cifar10.zip

gan-lab VERB --help lists a verb's groups and keys.
Tab completion: put  eval "$(gan-lab --install-completion bash)"  into ~/.bashrc (zsh: ~/.zshrc).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (the process's own where None). Returns the exit code; errors are said on stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
    escape_unprintable()
    try:
        code = _complete() if words == ["--complete"] else _dispatch(words)
        sys.stdout.flush()
    except ConfigError as error:
        say("", str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("", "stopped")
        return 130
    except BrokenPipeError:  # | head
        silence(sys.stdout)
        return 0
    return code


def _dispatch(words: list[str]) -> int:
    flags, others = flag_words.split(words)
    if "--version" in flags:
        print(f"gan-lab {__version__}")
        return 0
    if "--install-completion" in flags:
        from gan_lab.command_line.completion import script

        print(script(flags["--install-completion"]))
        return 0
    if not others:
        print_help()
        return 0
    if others[0] == "help":
        others, flags = others[1:], {**flags, "--help": ""}
        if not others:
            print_help()
            return 0
    name, *overrides = others
    if name == "version":
        print(f"gan-lab {__version__}")
        return 0
    if name not in VERBS:
        known = f"; the verbs: {', '.join(VERBS)}"
        if "=" in name:
            raise ConfigError(f"the verb comes first, e.g. gan-lab train {name}{known}")
        raise ConfigError(f"unknown verb {name}{meant(name) or nearest(name, VERBS, likeness=0.6) or known}")
    if "--help" in flags or overrides[:1] == ["help"]:
        from gan_lab.command_line.choices import Choices
        from gan_lab.command_line.page import page

        print(page(Choices(name, flags)))
        return 0
    try:
        overrides = _prepared(name, flags, overrides)
    except ConfigError as error:
        say(name, str(error))
        return error.exit_code
    from gan_lab.jobs.launch import launch

    return launch(name, flags, overrides)


def print_help() -> None:
    """Print the verbs, some examples, and where more is to be found."""
    width = max(map(len, VERBS)) + 1
    verbs = "\n".join(f"  {name:<{width}}{verb.summary}" for name, verb in VERBS.items())
    print(HELP.format(version=__version__, verbs=verbs), end="")


def _prepared(name: str, flags: dict[str, str], overrides: list[str]) -> list[str]:
    """The overrides as Hydra is to get them: the action named, paths quoted, those of a resumed run put first."""
    from gan_lab.command_line.overrides import add_plus, quote_paths, quote_text, without_absent
    from gan_lab.command_line.stored_overrides import resumed

    verb = VERBS[name]
    sweeping = "--multirun" in flags or any(word.lower() == "hydra.mode=multirun" for word in overrides)
    if sweeping and not verb.sweeps:
        raise ConfigError("does one thing at a time; leave out -m")
    if verb.actions:
        overrides = _action(verb, flags, overrides)
    if name == "bench":
        overrides = without_absent(add_plus(overrides))
    if name in ("tune", "ablate"):
        from gan_lab.tuning.typed import take_up

        overrides = without_absent(take_up(name, add_plus(overrides)))
    if name == "train":
        overrides = without_absent(resumed(add_plus(overrides), sweeping))
        sweeping = sweeping or overrides[-1:] == ["hydra.mode=MULTIRUN"]
    if verb.subject:
        overrides = _subject(verb, overrides)
    if verb.subjects:
        overrides = _all_subjects(verb, overrides)
    overrides = quote_text(overrides, verb.texts)
    return quote_paths(overrides, sweeping)


def _action(verb: Verb, flags: dict[str, str], overrides: list[str]) -> list[str]:
    """Turn the bare word behind the verb into `action=`."""
    known = ", ".join(verb.actions)
    typed = [word.partition("=")[2] for word in overrides if word.startswith("action=")]
    if overrides and "=" not in overrides[0] and not overrides[0].startswith("~"):
        typed, overrides = [overrides[0]], [f"action={overrides[0]}", *overrides[1:]]
    for action in typed:
        if action not in verb.actions:
            raise ConfigError(f"unknown action {action}{nearest(action, verb.actions)}\n  actions: {known}")
    if not typed and flags.keys().isdisjoint({"--hydra-help", "--cfg", "--info"}):
        raise ConfigError(f"which action? {known}")
    return overrides


def _subject(verb: Verb, overrides: list[str]) -> list[str]:
    """Turn a bare word behind the verb into the key that it is for."""
    if overrides and "=" not in overrides[0] and not overrides[0].startswith("~"):
        return [f"{verb.subject}={overrides[0]}", *overrides[1:]]
    return overrides


def _all_subjects(verb: Verb, overrides: list[str]) -> list[str]:
    """Turn all bare words behind the verb into a list under the key that they are for."""
    from gan_lab.command_line.overrides import quote

    bare = [word for word in overrides if "=" not in word and not word.startswith("~")]
    rest = [word for word in overrides if word not in bare]
    return [f"{verb.subjects}=[{','.join(map(quote, bare))}]", *rest] if bare else rest


def _complete() -> int:
    from gan_lab.command_line.completion import candidates

    print("\n".join(candidates()))
    return 0
