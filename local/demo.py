"""``make demo``: the whole pipeline once, from the stream to an Athena query, every record accounted for.

Run again while the pipeline is up, it sends another batch of traffic on top and accounts for everything that was ever
sent to it. After ``make down`` it begins with nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local.accounting import account, dates_that_differ, table
from local.airflow_api import AirflowApi, Run
from local.clients import LocalClients
from local.delivery_worker.checkpoints import done_through
from local.errors import LocalError
from local.evidence import Evidence
from local.ledger import load_all, next_journal, valid_by_date
from local.quality_act import QUALITY_DAG, counted, damage, repair, verdict_of, verdicts
from local.replay_act import REPLAY_DAG, close_deadline, early_certainty, failed_batches
from local.retention_act import DROP_DAG, RESTORE_DAG, dates_of, held, old_traffic, rows_of, trouble
from local.retention_act import TABLE as EXPIRING
from local.run import RunFailedError, await_end, await_end_approving, explain_failure, run_dag, summary
from local.schema_act import FIELD, TABLE, Reader, set_back
from local.traffic.plan import DELIVERY_DAY, Size, plan
from local.traffic.sending import send
from local.traffic.settling import settle
from local.waiting import wait_for


if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.console import Console
    from local.ledger import Ledger
    from local.pipeline import Pipeline

TABLES_DAG = "apply_schema_changes"
PARTITIONS_DAG = "register_partitions"
_DELIVERY_SECONDS = 300.0
_PARSING_SECONDS = 120.0
_RUN_SECONDS = 180.0
_MOST_RUNS = 3
_MOST_DATES_TOLD = 10
_NEXT = """
  Query it with the aws command:
    export {access}
    query=$(.venv/bin/aws athena start-query-execution --work-group {workgroup} \\
        --query-execution-context Database={database} --query-string 'SELECT count(*) FROM demand' \\
        --query QueryExecutionId --output text)
    .venv/bin/aws athena get-query-results --query-execution-id "$query" \\
        --query 'ResultSet.Rows[1].Data[0].VarCharValue' --output text
  or, with the same variables, from Python:
    connection = pyathena.connect(work_group="{workgroup}", schema_name="{database}")
    connection.cursor().execute("SELECT count(*) FROM demand").fetchone()
  Trigger a DAG:
    make run DAG=register_partitions CONF='{{"dry_run": true}}'"""


class DifferenceError(LocalError):
    """Records are missing, or there are too many."""


class SchemaChangeError(LocalError):
    """A reader noticed that a schema was changed."""


class ReplayError(LocalError):
    """A failed batch was not brought to its end."""


class QualityError(LocalError):
    """A verdict is not what the data is."""


class RetentionError(LocalError):
    """Something expired that should not have, or did not come back whole."""


@dataclass(frozen=True)
class Demo:
    """One demonstration.

    Attributes:
        pipeline: The pipeline it shows; started if it does not run.
        console: Where it tells what happens.
        size: How much traffic it sends.
        seed: What the traffic is drawn from; None for the next one not sent yet.
    """

    pipeline: Pipeline
    console: Console
    size: Size
    seed: int | None = None

    def show(self) -> None:
        """Do it all.

        Raises:
            DifferenceError: The account does not add up.
            LocalError: Something did not start, come or succeed.
        """
        started = time.monotonic()
        if self.pipeline.running():
            self.console.say("The pipeline runs already: more traffic is sent, and all of it is accounted for.")
            self.deliver_traffic(self.size)
        else:
            self.console.say("The pipeline starts; meanwhile traffic is sent and delivered.")
            self.pipeline.start(while_airflow_starts=lambda: self.deliver_traffic(self.size))
        delivered_at = datetime.now(UTC)
        self.run_dags(delivered_at)
        self.show_assets()
        self.query()
        self.change_schema()
        self.reprocess()
        self.check_quality()
        self.expire()
        self.show_alerts()
        self.balance()
        self._say_where_the_time_went(time.monotonic() - started)
        self._say_what_next()

    def deliver_traffic(self, size: Size) -> None:
        """Send a batch of traffic and wait until the delivery worker is done with all that was sent.

        Raises:
            UsageError: Somebody else is sending.
        """
        workspace, settings = self.pipeline.workspace, load_settings("local")
        kinesis = LocalClients(workspace, settings)("kinesis")
        with workspace.only_one("sending", "Other traffic is being sent"):
            if found := settle(kinesis, settings.stream, workspace.ledger):
                self.console.say(f"  {found:,} records that an interrupted command sent are entered into the ledger.")
            journal = next_journal(workspace.ledger, self.seed, size.crash_points)
            with self.console.step(f"send {size.records:,} change records to the stream"):
                records = plan(size, journal.ledger.seed, datetime.now(UTC))
                send(kinesis, settings.stream, records, journal, lambda sent: self.console.progress(f"{sent:,}"))
        with self.console.step("deliver them to S3"):
            last = journal.ledger.last_sequence_numbers
            wait_for(lambda: done_through(workspace.checkpoints, last), "the delivery worker", _DELIVERY_SECONDS)

    def run_dags(self, delivered_at: datetime) -> None:
        """Let the scheduler run the DAGs, and trigger a backfill by hand."""
        api = AirflowApi(self.pipeline.workspace.airflow_url)
        with self.console.step("wait for the DAGs to be parsed"):
            wait_for(lambda: _parsed(api), "the DAGs to be parsed", _PARSING_SECONDS)
        self._await_scheduled_run(api, TABLES_DAG, since=None)
        self._await_scheduled_run(api, PARTITIONS_DAG, since=delivered_at)
        dates = self._business_dates()
        conf = {"from_date": min(dates).isoformat(), "to_date": max(dates).isoformat()}
        self.console.say(f"  By hand, through the REST API: {PARTITIONS_DAG} {conf}")
        run_dag(api, self.console, PARTITIONS_DAG, conf)

    def show_assets(self) -> None:
        """Tell how many partition keys each asset has."""
        keys = AirflowApi(self.pipeline.workspace.airflow_url).partition_keys()
        self.console.heading("Assets in Airflow, with the partition keys that other DAGs can be scheduled on:")
        rows = [[name, len(found), found[0], found[-1]] for name, found in keys.items() if found]
        self.console.table(rows, ["asset", "partition keys", "first", "last"])

    def query(self) -> None:
        """Ask Athena what an analyst would ask."""
        statement = (
            "SELECT partition_date, count(*) AS demands, count(DISTINCT eventid) AS events FROM demand\n"
            f"  WHERE partition_date >= '{min(self._business_dates())}' AND NOT coalesce(isdeleted, false)\n"
            "  GROUP BY 1 ORDER BY 2 DESC LIMIT 5"
        )
        self.console.heading(f"Athena answers, through PyAthena:\n  {statement}")
        clients = LocalClients(self.pipeline.workspace, load_settings("local"))
        with clients.athena().cursor() as cursor:
            rows = cursor.execute(statement).fetchall()
        self.console.table([list(row) for row in rows], ["partition_date", "demands", "events"])

    def change_schema(self) -> None:
        """Add a field to a table while a reader keeps querying it.

        Raises:
            SchemaChangeError: The reader noticed.
        """
        settings, api = load_settings("local"), AirflowApi(self.pipeline.workspace.airflow_url)
        clients = LocalClients(self.pipeline.workspace, settings)
        self.console.heading(f"A field is added: {TABLE} is set back to its schema without {FIELD}, and changed again")
        columns = set_back(clients, settings, load_record_types()[TABLE])
        with Reader(clients) as reader:
            run_dag(api, self.console, TABLES_DAG, {"tables": [TABLE]})
        self.console.table(
            [[TABLE, columns, len(reader.first), reader.queries, len(reader.failed), len(reader.wrong)]],
            ["table", "columns before", "partitions read", "queries meanwhile", "failed", "wrong answers"],
        )
        if trouble := reader.trouble:
            raise SchemaChangeError(f"{TABLE}: {trouble}")

    def reprocess(self) -> None:
        """Let the batches that failed become rows, while the account keeps adding up.

        Under the mapping's own settings they are secured at once, but it takes hours until it is certain which of the
        records between their ends the worker has delivered. So that nobody has to wait for that, a second run meets a
        mapping that gives records up after a minute.

        Raises:
            DifferenceError: A record was lost, or is there twice.
            ReplayError: A batch was left in the queue, or is not settled.
        """
        settings, api = load_settings("local"), AirflowApi(self.pipeline.workspace.airflow_url)
        clients, evidence = LocalClients(self.pipeline.workspace, settings), self._evidence()
        messages = evidence.dead_letters()
        self.console.heading(f"{len(messages)} failed batches are in the dead-letter queue, near their deadline:")
        self.console.table(*failed_batches(messages, evidence.invocations()))
        with close_deadline(clients("sqs"), settings.dead_letter_queue, messages):
            if api.is_paused(REPLAY_DAG):
                self._await_scheduled_run(api, REPLAY_DAG, since=None)
            else:
                run_dag(api, self.console, REPLAY_DAG, {})
        if left := evidence.dead_letters():
            raise ReplayError(f"{len(left)} failed batches are still in {settings.dead_letter_queue}.")
        self.balance()
        with early_certainty(clients("lambda"), settings) as longest_delivery:
            for _ in range(_MOST_RUNS):
                if not (waiting := evidence.open_batches()):
                    break
                certain = max(record.arrived for batch in waiting for record in batch.records) + longest_delivery
                with self.console.step(f"wait until the worker can deliver nothing of {len(waiting)} batches any more"):
                    time.sleep(max(0.0, (certain - datetime.now(UTC)).total_seconds()))
                run_dag(api, self.console, REPLAY_DAG, {})
        if waiting := evidence.open_batches():
            raise ReplayError(f"Not settled after {_MOST_RUNS} runs: {', '.join(str(one.batch) for one in waiting)}.")

    def check_quality(self) -> None:
        """Give every partition a verdict; damage one, see it turn red, repair it, see it turn green.

        Raises:
            QualityError: A verdict is not what it should be, or nobody was told.
        """
        settings, api = load_settings("local"), AirflowApi(self.pipeline.workspace.airflow_url)
        clients = LocalClients(self.pipeline.workspace, settings)
        self.console.heading("Every partition gets a verdict:")
        run_dag(api, self.console, QUALITY_DAG, {})
        found = counted(verdicts(clients))
        self.console.table(found, ["table", "passed", "warned", "failed", "unknown", "dollars"])
        damaged = damage(clients, settings)
        self.console.heading(f"{damaged} is damaged: {damaged.rows} deleted rows keep their e-mail address")
        alerts = len(self._evidence().alerts())
        with contextlib.suppress(RunFailedError):
            run_dag(api, self.console, QUALITY_DAG, {})
            raise QualityError(f"{damaged}: the run succeeded although it is damaged")
        told = [json.loads(one["Message"]) for one in self._evidence().alerts()[alerts:]]
        if (red := verdict_of(clients, damaged)) != "failed" or len(told) != 1:
            raise QualityError(f"{damaged} is damaged: its verdict is {red}, and {len(told)} alerts were sent")
        self.console.say(f"  Its verdict is {red}, and an alert says:")
        self.console.say(f"    {told[0]['title']}\n    {told[0]['text']}\n    {told[0]['link']}")
        repair(clients, settings, damaged)
        self.console.say("  The file that should not be there is taken away.")
        run_dag(api, self.console, QUALITY_DAG, {})
        if (green := verdict_of(clients, damaged)) != damaged.before:
            raise QualityError(f"{damaged} is repaired: its verdict is {green}, it was {damaged.before}")
        calendar = f"{self.pipeline.workspace.airflow_url}/plugin/data-quality"
        self.console.say(f"  Its verdict is {green}. The calendar: {calendar}")

    def expire(self) -> None:
        """Let partitions that are years old leave the catalog, and bring them back.

        Raises:
            RetentionError: Something is not as it was.
        """
        settings, api = load_settings("local"), AirflowApi(self.pipeline.workspace.airflow_url)
        clients = LocalClients(self.pipeline.workspace, settings)
        self.console.heading(f"Records come down the stream whose business dates are older than {EXPIRING} keeps them:")
        self.deliver_traffic(old_traffic(settings, load_all(self.pipeline.workspace.ledger)))
        ledger = load_all(self.pipeline.workspace.ledger)[-1]
        days = dates_of(ledger)
        dates = {"from_date": days[0].isoformat(), "to_date": days[-1].isoformat()}
        sent = _dates([ledger])  # of all tables: the account counts their rows as well
        run_dag(api, self.console, PARTITIONS_DAG, {"from_date": str(sent[0]), "to_date": str(sent[-1])})
        before = held(clients, settings, days)
        run_dag(api, self.console, DROP_DAG, {"tables": [EXPIRING], "dry_run": False}, await_end_approving)
        between = held(clients, settings, days)
        run_dag(api, self.console, RESTORE_DAG, {"tables": [EXPIRING], **dates})
        after = held(clients, settings, days)
        found = {"before": before, "expired": between, "restored": after}
        self.console.table(
            [[name, one.partitions, one.rows, one.files] for name, one in found.items()],
            [f"{len(days)} dates of {EXPIRING}", "partitions", "rows", "files"],
        )
        if wrong := trouble(len(days), rows_of(ledger), before, between, after):
            raise RetentionError(f"{EXPIRING}, {days[0]} to {days[-1]}: {wrong}")

    def show_alerts(self) -> None:
        """Tell which alerts were sent."""
        alerts = self._evidence().alerts()
        self.console.heading(f"Alerts sent: {len(alerts)}")
        for alert in alerts:
            self.console.say(f"  {alert.get('Subject')}")

    def balance(self) -> None:
        """Set what was sent against what is found.

        Raises:
            DifferenceError: They differ.
        """
        ledgers = load_all(self.pipeline.workspace.ledger)
        with self.console.step("account for every record"):
            found = self._evidence().find()
        lines, wrong_dates = account(ledgers, found), dates_that_differ(ledgers, found)
        batches = f"{len(ledgers)} batch{'es' if len(ledgers) > 1 else ''} of traffic"
        dates = len({day for _, day in valid_by_date(ledgers)} - {DELIVERY_DAY})
        self.console.heading(f"The ledger: {batches}, {dates} business dates.")
        self.console.table(*table(lines))
        wrong = [
            f"{line.record_type}: {line.sent} sent, {line.found} found: "
            f"{abs(line.difference)} {'missing' if line.difference > 0 else 'too many'}"
            for line in lines
            if line.difference
        ]
        if wrong or wrong_dates:
            raise DifferenceError("\n".join([*wrong, *map(str, wrong_dates[:_MOST_DATES_TOLD])]))
        self.console.say("  Every record is accounted for.")
        self.console.say("  Every business date has exactly the rows that were sent for it.")

    def _await_scheduled_run(self, api: AirflowApi, dag_id: str, since: datetime | None) -> None:
        """Wait for the end of a run that the scheduler started (after a time), and say what it did."""
        if api.is_paused(dag_id):
            api.unpause(dag_id)
        with self.console.step(f"scheduled run of {dag_id}"):
            found: list[Run] = []

            def started() -> bool:
                found[:] = [run for run in api.runs(dag_id) if run.run_type == "scheduled" and _begun(run, since)]
                return bool(found)

            wait_for(started, f"the scheduler to run {dag_id}", _RUN_SECONDS)
            run = await_end(api, self.console, found[-1], _RUN_SECONDS)
        if run.state != "success":
            raise RunFailedError(explain_failure(api, run))
        for line in summary(api, run):
            self.console.say(f"    {line}")

    def _business_dates(self) -> list[date]:
        return _dates(load_all(self.pipeline.workspace.ledger))

    def _evidence(self) -> Evidence:
        settings = load_settings("local")
        return Evidence(LocalClients(self.pipeline.workspace, settings), settings, load_record_types())

    def _say_where_the_time_went(self, seconds: float) -> None:
        self.console.heading("Where the time went:")
        self.console.table([*self.console.steps, ("in all", seconds)], ["step", "seconds"])

    def _say_what_next(self) -> None:
        self.console.heading("It keeps running; `make down` stops it.")
        self.console.say(self.pipeline.addresses())
        workspace, settings = self.pipeline.workspace, load_settings("local")
        access = " ".join(
            f"{name}={value}" for name, value in workspace.aws_environment().items() if value != os.devnull
        )
        self.console.say(_NEXT.format(access=access, workgroup=settings.workgroup, database=settings.database))


def _dates(ledgers: Iterable[Ledger]) -> list[date]:
    """The business dates of what was sent, sorted."""
    days = {day for ledger in ledgers for _, day, _ in ledger.entries()} - {DELIVERY_DAY}
    return sorted(date.fromisoformat(day) for day in days)


def _parsed(api: AirflowApi) -> bool:
    if errors := api.import_errors():
        raise LocalError(f"Airflow cannot read a DAG file:\n{errors[0]}")
    return {TABLES_DAG, PARTITIONS_DAG, QUALITY_DAG, REPLAY_DAG, DROP_DAG, RESTORE_DAG} <= set(api.dag_ids())


def _begun(run: Run, since: datetime | None) -> bool:
    if since is None:
        return True
    return run.started != "" and datetime.fromisoformat(run.started) >= since
