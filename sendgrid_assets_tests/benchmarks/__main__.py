"""The command: `python -m sendgrid_assets_tests.benchmarks [NAME] [--json] [--page]`.

Belongs here: options. Does not: any work.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import click

from . import machine
from .child import RunError
from .page import PATH, page
from .register import BENCHMARKS
from .report import as_text
from .result import Result
from .rounds import run


@click.command()
@click.argument("name", required=False, type=click.Choice(list(BENCHMARKS)))
@click.option("--rows-scale", default=1.0, show_default=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--page", "writes_page", is_flag=True, help="Write sendgrid_assets/docs/benchmarks.md too.")
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take what --json printed earlier and run nothing; more rounds of one benchmark are added up.",
)
def main(
    name: str | None,
    rows_scale: float,
    rounds: int,
    as_json: bool,
    writes_page: bool,
    files: tuple[Path, ...],
) -> None:
    """Measure one benchmark, or all, against their limits and peers."""
    # So that an end from outside ends what was started here too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    here = machine.described()
    if files:
        here, results = _read(files)
    else:
        chosen = [BENCHMARKS[name]] if name else list(BENCHMARKS.values())
        try:
            results = [run(one, scale=rows_scale, rounds=rounds, tell=_tell) for one in chosen]
        except RunError as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        made = {"machine": here, "results": [result.to_json() for result in results]}
        click.echo(json.dumps(made, indent=1))
    else:
        for result in results:
            click.echo(as_text(BENCHMARKS[result.benchmark], result))
    if writes_page:
        PATH.write_text(page(results, here), encoding="utf-8")


def _read(files: tuple[Path, ...]) -> tuple[dict[str, str], list[Result]]:
    read = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    results: dict[str, Result] = {}
    for one in read:
        if one["machine"] != read[0]["machine"]:
            raise click.ClickException("These results are of different machines or versions: measure again.")
        for result in map(Result.from_json, one["results"]):
            earlier = results.get(result.benchmark)
            if earlier and (earlier.scale, earlier.skipped) != (result.scale, result.skipped):
                raise click.ClickException(
                    "These results are of different scales or variants: measure again."
                )
            results[result.benchmark] = earlier.with_rounds_of(result) if earlier else result
    return read[0]["machine"], list(results.values())


def _tell(what: str) -> None:
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
