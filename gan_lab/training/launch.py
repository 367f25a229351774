"""Starting the processes of a run inside the command that was typed, and what comes of them."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from torch.distributed.elastic.agent.server.api import WorkerSpec
from torch.distributed.elastic.rendezvous import RendezvousError, RendezvousParameters
from torch.distributed.elastic.rendezvous.registry import get_rendezvous_handler

from gan_lab.distributed.agent import Agent
from gan_lab.distributed.note import Note
from gan_lab.distributed.processes import Processes, cores
from gan_lab.distributed.verdict import in_words
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.training.interruption import Interruption

log = logging.getLogger(__name__)

SPEAKERS = ("torch.distributed.elastic", "torch.multiprocessing")
PATIENCE = 10.0  # seconds in which processes that were killed are gone
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
T = TypeVar("T")


class Order(NamedTuple):
    """What a process is to do: `work(*arguments)`. `notes` is the folder for what it has to say of a failure."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    notes: Path


def launch(
    work: Callable[..., T], arguments: Sequence[Any], processes: Processes, asked: Callable[[str], None]
) -> tuple[T, Interruption]:
    """Call `work(*arguments)` in so many processes, which can join a group; what the first of this machine returns.

    A signal is handed on to them, `asked` hears its name, and the process waits until they have ended. One that fails
    ends all, or all begin again. Raises GanLabError with the first failure's line, SystemExit where they were stopped
    before they could save.
    """
    notes = Path(tempfile.mkdtemp(prefix="gan-lab-"))
    order = Order(work, tuple(arguments), notes)
    try:
        with quiet_torch(), environment(environment_of(processes)):
            agent = Agent(specify(order, processes), notes, processes.timeout, lambda line: log.warning("%s", line))
            return watch(agent, asked)
    except RendezvousError as error:
        raise GanLabError(
            f"engine.nodes={processes.nodes}: they did not all meet at {processes.meeting()} within "
            f"{in_words(processes.timeout)} (engine.timeout); type the command on each of them"
        ) from error
    finally:
        shutil.rmtree(notes, ignore_errors=True)


def specify(order: Order, processes: Processes) -> WorkerSpec:
    """The workers, for torch's agent."""
    several = processes.nodes > 1
    parameters = RendezvousParameters(
        backend="c10d",
        endpoint=processes.meeting(),
        run_id="gan-lab" if several else uuid.uuid4().hex,
        min_nodes=processes.nodes,
        max_nodes=processes.nodes,
        local_addr=None if several else "127.0.0.1",
        join_timeout=int(processes.timeout),
    )
    return WorkerSpec(
        role="gan-lab",
        local_world_size=int(processes.local),
        entrypoint=_begin,
        args=(order,),
        rdzv_handler=get_rendezvous_handler(parameters),
        max_restarts=processes.restarts,
        monitor_interval=0.1,
        local_addr=None if several else "127.0.0.1",
    )


def watch(agent: Agent, asked: Callable[[str], None]) -> tuple[Any, Interruption]:
    """Run the agent in a thread of its own, because signals are this one's business; what comes of it."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(agent.run())
        except BaseException as error:
            ended.append(error)

    def tell(name: str) -> None:
        agent.asked = interruption.sent
        asked(name)
        agent.send(interruption.sent or 0)

    thread = threading.Thread(target=run, name="gan-lab-agent", daemon=True)
    with Interruption(tell) as interruption:
        try:
            thread.start()
            while thread.is_alive() and not agent.waits_in_vain:
                thread.join(0.2)
        except BaseException:  # a second signal
            agent.asked = agent.asked or signal.SIGTERM
            agent.send(signal.SIGKILL)
            thread.join(PATIENCE)
            raise
    result = ended[0] if ended else None
    if isinstance(result, BaseException):
        raise result
    if result is not None and not result.is_failed():
        return result.return_values[min(result.return_values)], interruption
    verdict = agent.verdict
    if agent.asked and (verdict is None or verdict.again):
        interruption.call_previous_handler()
        raise SystemExit(interruption.exit_code)
    assert verdict is not None
    raise (ConfigError if verdict.code == ConfigError.exit_code else GanLabError)(verdict.line)


def environment_of(processes: Processes) -> dict[str, str]:
    """What the processes find in their environment, unless it is there. On one machine they talk to one another inside
    it only. Where they meet is with the first of them: torch's agent would keep what those of before have said there,
    and their addresses."""
    threads = max(cores() // int(processes.local), 1)
    found = {"OMP_NUM_THREADS": str(threads), "TORCH_CPP_LOG_LEVEL": "ERROR", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    inside = LOOPBACK.get(sys.platform)
    if processes.nodes == 1 and inside:
        found["GLOO_SOCKET_IFNAME"] = inside
    return found


@contextmanager
def environment(words: Mapping[str, str]) -> Iterator[None]:
    """In here the environment, which processes inherit, has these words, but for those that it has."""
    new = {name: word for name, word in words.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def quiet_torch() -> Iterator[None]:
    """What torch says of processes goes to the run's log, and not to the terminal."""
    root = logging.getLogger().handlers
    files: list[logging.Handler] = [handler for handler in root if isinstance(handler, logging.FileHandler)]
    theirs = [logging.getLogger(name) for name in SPEAKERS]
    before = [(each.propagate, each.handlers) for each in theirs]
    for each in theirs:
        each.propagate, each.handlers = False, [*(files or [logging.NullHandler()])]
    try:
        yield
    finally:
        for each, (propagate, handlers) in zip(theirs, before, strict=True):
            each.propagate, each.handlers = propagate, handlers


def _begin(order: Order) -> Any:
    """In a process of its own: out of the reach of a terminal's Ctrl-C, which whoever started it hands on."""
    if hasattr(os, "setsid"):
        os.setsid()
    try:
        return order.work(*order.arguments)
    except Exception as error:
        rank = int(os.environ["RANK"])
        log.error("%s", error, exc_info=error)
        Note.of(error).leave(order.notes, rank)
        sys.exit(1)
