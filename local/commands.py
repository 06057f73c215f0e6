"""The commands of ``python -m local``: what they take, and what they do."""

from __future__ import annotations

import argparse
import itertools
import os
from typing import TYPE_CHECKING

from dmd_pipeline.errors import ConfigurationError, PipelineError
from dmd_pipeline.settings import current_environment
from local.airflow_api import AirflowApi
from local.console import Console, complain
from local.delivery_worker.crashes import AT_ONCE, CrashPoint
from local.demo import Demo
from local.errors import LocalError, UsageError
from local.pipeline import Pipeline
from local.run import parse_conf, run_dag
from local.traffic.plan import Size
from local.workspace import Workspace


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every foreseen failure is a message and an exit code, never a traceback."""
    parsed = _parser().parse_args(arguments)
    try:
        _refuse_other_environments()
        _forget_other_accounts()
        command: Callable[[argparse.Namespace], int] = parsed.command
        return command(parsed)
    except LocalError as error:
        complain(str(error))
        return error.exit_code
    except PipelineError as error:
        complain(str(error))
        return UsageError.exit_code if isinstance(error, ConfigurationError) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="The pipeline on one machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("up", help="start everything in the background").set_defaults(command=_up)
    commands.add_parser("down", help="stop exactly what was started").set_defaults(command=_down)
    demo = commands.add_parser("demo", help="the whole pipeline once, every record accounted for")
    demo.set_defaults(command=_demo)
    traffic = commands.add_parser("traffic", help="send traffic to the running pipeline and wait for its delivery")
    traffic.set_defaults(command=_traffic)
    for command in (demo, traffic):
        command.add_argument(
            "--records", type=_at_least(1), default=24_000, help="change records (default %(default)s)"
        )
        command.add_argument("--days", type=_at_least(1), default=21, help="business dates (default %(default)s)")
        command.add_argument(
            "--days-ago", type=_at_least(0), default=0, help="how many days ago these dates lie (default %(default)s)"
        )
        command.add_argument("--seed", type=int, help="same seed, same records (default: the next one)")
        command.add_argument(
            "--failing-batches", type=_at_least(0), default=3, help="batches to fail (default %(default)s)"
        )
        command.add_argument(
            "--crash-point",
            type=CrashPoint,
            choices=list(CrashPoint),
            action="append",
            help="where they fail; several take turns (default: all but timeout)",
        )
    run = commands.add_parser("run", help="trigger a DAG, wait and print its summary")
    run.add_argument("dag_id", metavar="DAG")
    run.add_argument("conf", metavar="CONF", help="parameters as a JSON object", nargs="?", default="")
    run.set_defaults(command=_run)
    return parser


def _up(_: argparse.Namespace) -> int:
    console = Console()
    pipeline = Pipeline(Workspace.from_environment(), console)
    if pipeline.running():
        console.say("The pipeline is running already.")
    else:
        pipeline.start()
        console.say("It runs, with all DAGs paused: unpause them in the UI, or trigger one with `make run DAG=…`.")
    console.say(pipeline.addresses())
    return 0


def _down(_: argparse.Namespace) -> int:
    console = Console()
    stopped = Pipeline(Workspace.from_environment(), console).stop()
    console.say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    _make_demo(parsed).show()
    return 0


def _traffic(parsed: argparse.Namespace) -> int:
    demo = _make_demo(parsed)
    if not demo.pipeline.running():
        raise UsageError("The pipeline is not running: start it with `make up`.")
    demo.deliver_traffic(demo.size)
    return 0


def _run(parsed: argparse.Namespace) -> int:
    conf = parse_conf(parsed.conf)
    run_dag(AirflowApi(Workspace.from_environment().airflow_url), Console(), parsed.dag_id, conf)
    return 0


def _make_demo(parsed: argparse.Namespace) -> Demo:
    console = Console()
    pipeline = Pipeline(Workspace.from_environment(), console)
    points = itertools.cycle(parsed.crash_point or AT_ONCE)
    size = Size(parsed.records, parsed.days, tuple(itertools.islice(points, parsed.failing_batches)), parsed.days_ago)
    return Demo(pipeline, console, size, parsed.seed)


def _refuse_other_environments() -> None:
    """Whoever names another environment expects it to be worked on: doing the same to the local one is no answer."""
    if (named := current_environment()) not in ("local", ""):
        raise UsageError(f"DMD_ENV={named}: this command is for the local pipeline only; unset DMD_ENV.")


def _forget_other_accounts() -> None:
    """Drop what this shell says of AWS accounts and of another Airflow: a local command must never reach them."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AIRFLOW_"))]:
        del os.environ[name]
    os.environ.update(Workspace.from_environment().aws_environment())


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least}, found {text!r}")
        return int(text)

    return number
