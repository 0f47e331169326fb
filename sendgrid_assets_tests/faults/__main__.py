"""The command: `python -m sendgrid_assets_tests.faults [KILLS] [--seed N] …`.

Belongs here: options and how figures are shown. Does not: any work.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from . import backlog, figures, mutated, stateful, sweeping
from .kills import Killing, Trial
from .nursery import Nursery
from .plant import Plant


@click.command()
@click.argument("kills", default=200, type=click.IntRange(min=0))
@click.option("--seed", type=int, help="Of the kills; drawn and printed if it is not given.")
@click.option(
    "--sweep",
    is_flag=False,
    flag_value="",
    metavar="[WHICH]",
    help="Every call of a receiver, a drain, a publish and a replay, or of those whose names have WHICH, too: hours.",
)
@click.option(
    "--power", is_flag=True, help="Every disk that a power cut may leave, too: a quarter of an hour."
)
@click.option(
    "--stateful",
    "stateful_",
    default=0,
    is_flag=False,
    flag_value=200,
    type=click.IntRange(min=0),
    metavar="[EXAMPLES]",
    help="So many plants (200) to which anything happens in any order, too.",
)
@click.option("--mutants", is_flag=True, help="Whether each wrong way to do it is found out, too.")
@click.option(
    "--load", is_flag=True, help="Answers at 1, 32 and 1,000 clients, and recovery of a full disk, too."
)
@click.option("--backlog", "gigabytes", type=float, default=0.0, help="A drain of so many GB, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(
    kills: int,
    seed: int | None,
    sweep: str | None,
    power: bool,
    stateful_: int,
    mutants: bool,
    load: bool,
    gigabytes: float,
    as_json: bool,
) -> None:
    """Injects faults and prints what was lost, doubled and measured."""
    seed = random.randrange(1 << 32) if seed is None else seed
    shown: dict[str, Any] = {"seed": seed}
    _tell(f"seed {seed}")
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, Nursery() as nursery:
        root = Path(folder)
        empty = _plant(root / "empty")
        nursery.must("drain_and_publish", empty)
        trial = Killing(nursery, _plant(root / "kills", empty), seed).run(kills, _tell)
        wrong += trial.wrong
        shown |= _of(trial)
        if sweep is not None:
            swept = sweeping.swept(sweep, lambda name: _plant(root / name, empty), _tell)
            shown["sweeps"] = {name: one.points for name, one in swept.items()}
            wrong += [f"{name}: {what}" for name, one in swept.items() for what in one.wrong]
            wrong += [f"{name}: struck at no point" for name, one in swept.items() if not one.points]
            wrong += [] if swept else [f"no sweep is called {sweep}"]
        if power:
            (root / "power").mkdir()
            cuts = figures.cut_off(root / "power", seed, _tell)
            shown["power cuts"] = {
                name: f"{cut.states} states, {cut.failing} failing, {cut.settled} started again"
                for name, cut in cuts.items()
            }
            wrong += [f"{name}: {what}" for name, cut in cuts.items() for what in cut.wrong]
        if stateful_:
            shown["any order"], failed = stateful.tried(
                nursery, lambda name: _plant(root / name, empty), examples=stateful_, seed=seed
            )
            wrong += failed
        if mutants:
            caught = mutated.all_caught(nursery, lambda name: _plant(root / name, empty))
            shown["mutants"] = caught
            shown["mutants caught"] = f"{sum(caught.values())} of {len(caught)}"
            wrong += [f"the mutant {name} was not found out" for name, found in caught.items() if not found]
        if load:
            shown["load"] = figures.load(nursery, lambda name: _plant(root / name, empty))
            wrong += [what for one in shown["load"].values() for what in one["wrong"]]
            shown["full disk"] = figures.room_again(nursery, _plant(root / "full", empty))
        if gigabytes:
            shown["backlog"] = backlog.drained(nursery, _plant(root / "backlog", empty), gigabytes)
            wrong += shown["backlog"]["wrong"]
    shown["wrong"] = wrong
    click.echo(json.dumps(shown, indent=1) if as_json else _as_text(shown))
    sys.exit(1 if wrong else 0)


def _plant(folder: Path, like: Plant | None = None) -> Plant:
    folder.mkdir()
    return Plant(folder).prepare(like)


def _of(trial: Trial) -> dict[str, Any]:
    last = trial.verdicts[-1]
    return {
        "line": last.line(trial.killed),
        "kills": trial.kills,
        "receiver start to first 2xx": figures.spread(trial.first_answers),
        "drain after kills": figures.spread([seconds for seconds, _ in trial.drains]),
        "bytes drained so": sum(size for _, size in trial.drains),
        "publish after kills": figures.spread(trial.publishes),
        "left in tmp/": last.strays,
    }


def _as_text(shown: dict[str, Any]) -> str:
    lines = []
    for name, value in shown.items():
        if name == "line":
            lines.append(value)
        elif isinstance(value, dict):
            lines.append(f"{name}: " + " · ".join(f"{key} {one}" for key, one in value.items()))
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _tell(what: str) -> None:
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
