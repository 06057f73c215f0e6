"""The Athena API: what boto3, the AWS CLI, PyAthena and awswrangler talk to."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING, Any

from local.athena import data_catalogs
from local.athena.ddl.runner import DdlRunner
from local.athena.duck import Duck
from local.athena.errors import AthenaApiError, QueryCancelled, QueryError, invalid_request
from local.athena.executions import FINAL, Execution, Executions
from local.athena.named_queries import NamedQueries
from local.athena.paging import paged, position, token
from local.athena.ports import BucketNotFoundError
from local.athena.queries import QueryRunner
from local.athena.results import Result, query_result
from local.athena.statements import kind_of
from local.athena.workgroups import PRIMARY, WorkGroups


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.athena.ports import Catalog, Objects


logger = logging.getLogger(__name__)

LONGEST_QUERY = 262_144  # bytes
LARGEST_PAGE = 1000
QUERIES_AT_ONCE = 8
_SUPPORTED_CATALOG = "awsdatacatalog"


class AthenaService:
    """One account's Athena in one region.

    Args:
        catalog: The Glue catalog.
        objects: The objects of S3.
    """

    def __init__(self, catalog: Catalog, objects: Objects) -> None:
        self._catalog = catalog
        self._objects = objects
        self._duck = Duck()
        self._queries = QueryRunner(catalog, objects, self._duck)
        self._ddl = DdlRunner(catalog, objects)
        self._executions = Executions()
        self._named_queries = NamedQueries()
        self.workgroups = WorkGroups()
        self._pool = ThreadPoolExecutor(QUERIES_AT_ONCE, thread_name_prefix="athena")
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": lambda body: {"QueryExecution": self._execution(body).described()},
            "BatchGetQueryExecution": self._batch_get,
            "ListQueryExecutions": self._list,
            "StopQueryExecution": self._stop,
            "GetQueryResults": self._results,
            "GetQueryRuntimeStatistics": self._runtime_statistics,
            "CreateWorkGroup": self._create_workgroup,
            "GetWorkGroup": lambda body: {"WorkGroup": self.workgroups.get(_required(body, "WorkGroup")).described()},
            "ListWorkGroups": lambda _body: {"WorkGroups": [one.summary() for one in self.workgroups.all()]},
            "UpdateWorkGroup": self._update_workgroup,
            "DeleteWorkGroup": self._delete_workgroup,
            **data_catalogs.operations(catalog),
            **self._named_queries.operations(),
        }

    def handle(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one request.

        Args:
            operation: Name of the operation, such as ``StartQueryExecution``.
            body: Its members.

        Raises:
            AthenaApiError: Athena refuses it.
        """
        handler = self._operations.get(operation)
        if handler is None:
            raise AthenaApiError("UnknownOperationException", f"The local Athena does not know {operation}")
        return handler(body)

    def reset(self) -> None:
        """Stop what runs and forget everything."""
        self._executions.reset()
        self._named_queries.reset()
        self.workgroups.reset()

    def close(self) -> None:
        """Stop what runs and give the memory back."""
        self._executions.reset()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._duck.close()

    # --------------------------------------------------------------------------------------------------- executions

    def _start(self, body: dict[str, Any]) -> dict[str, Any]:
        query = _required(body, "QueryString")
        if len(query.encode()) > LONGEST_QUERY:
            raise invalid_request(f"Query string is longer than the limit of {LONGEST_QUERY} bytes")
        name = body.get("WorkGroup") or PRIMARY
        workgroup = self.workgroups.get(name)
        if workgroup.state != "ENABLED":
            raise invalid_request(f"WorkGroup {name} is disabled.")
        context = body.get("QueryExecutionContext") or {}
        catalog = context.get("Catalog") or "AwsDataCatalog"
        if catalog.lower() != _SUPPORTED_CATALOG:
            raise invalid_request(f"Catalog {catalog} is not found")
        output = workgroup.location((body.get("ResultConfiguration") or {}).get("OutputLocation"))
        database = (context.get("Database") or "").strip("`")  # awswrangler quotes it as it quotes names in DDL
        execution, new = self._executions.add(
            Execution(
                query=query,
                kind=kind_of(query),
                database=database.lower() if database else None,
                catalog=catalog.lower(),
                workgroup=name,
                output=output,
                parameters=tuple(body.get("ExecutionParameters") or ()),
            ),
            body.get("ClientRequestToken"),
        )
        if new:
            self._pool.submit(self._run, execution)
        return {"QueryExecutionId": execution.id}

    def _run(self, execution: Execution) -> None:
        if not execution.start():
            return
        try:
            result = self._evaluate(execution)
            execution.cancellation.check()
            self._write(execution, result)
            execution.result = result
            execution.finish("SUCCEEDED")
        except QueryCancelled:
            execution.finish("CANCELLED", "Query cancelled by user")
        except QueryError as error:
            execution.finish("FAILED", error.reason, error)
        except Exception as error:  # a defect of ours must not leave the execution running for ever
            logger.exception("A statement failed in a way that was not foreseen")
            failure = QueryError("GENERIC_INTERNAL_ERROR", f"The local Athena failed: {type(error).__name__}: {error}")
            execution.finish("FAILED", failure.reason, failure)

    def _evaluate(self, execution: Execution) -> Result:
        if not execution.kind.has_csv:
            return self._ddl.run(execution.query, execution.database)
        found = self._queries.run(
            execution.query,
            execution.database,
            execution.submitted.astimezone(UTC).replace(tzinfo=None),
            execution.parameters,
            execution.cancellation,
        )
        execution.scanned_bytes, execution.input_rows = found.scanned_bytes, found.scanned_rows
        cutoff = self.workgroups.get(execution.workgroup).bytes_cutoff
        if cutoff is not None and found.scanned_bytes > cutoff:
            raise QueryError(
                "EXCEEDED_BYTES_SCANNED_LIMIT", f"Query exhausted resources: Bytes scanned limit was exceeded: {cutoff}"
            )
        return query_result(found)

    def _write(self, execution: Execution, result: Result) -> None:
        try:
            self._objects.write(execution.location, result.data(), result.content_type)
            self._objects.write(f"{execution.location}.metadata", result.metadata(), "application/octet-stream")
        except BucketNotFoundError as error:
            raise QueryError("PERMISSION_DENIED", f"Unable to verify/create output bucket {error}") from error

    def _execution(self, body: dict[str, Any]) -> Execution:
        return self._executions.get(_required(body, "QueryExecutionId"))

    def _batch_get(self, body: dict[str, Any]) -> dict[str, Any]:
        identifiers = _required(body, "QueryExecutionIds")
        found = {one: self._executions.find(one) for one in identifiers}
        return {
            "QueryExecutions": [execution.described() for execution in found.values() if execution is not None],
            "UnprocessedQueryExecutionIds": [
                {"QueryExecutionId": one, "ErrorCode": "INVALID_INPUT", "ErrorMessage": "QueryExecution was not found"}
                for one, execution in found.items()
                if execution is None
            ],
        }

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body.get("WorkGroup") or PRIMARY
        self.workgroups.get(name)
        found = [one.id for one in self._executions.of_workgroup(name)]
        page, following = paged(found, body, largest=50)
        return {"QueryExecutionIds": page} | following

    def _stop(self, body: dict[str, Any]) -> dict[str, Any]:
        execution = self._execution(body)
        if execution.state not in FINAL:
            execution.finish("CANCELLED", "Query cancelled by user")
            execution.cancellation.cancel()
        return {}

    def _results(self, body: dict[str, Any]) -> dict[str, Any]:
        execution = self._execution(body)
        if execution.state in ("FAILED", "CANCELLED"):
            raise invalid_request(
                f"Query did not finish successfully. Final query state: {execution.state}",
                "INVALID_QUERY_EXECUTION_STATE",
            )
        if execution.result is None:
            raise invalid_request(
                f"Query has not yet finished. Current state: {execution.state}", "INVALID_QUERY_EXECUTION_STATE"
            )
        size = body.get("MaxResults") or LARGEST_PAGE
        if not 1 <= size <= LARGEST_PAGE:
            raise invalid_request(f"MaxResults is more than maximum allowed length {LARGEST_PAGE}")
        rows, following = execution.result.page(position(body.get("NextToken")), size)
        answer: dict[str, Any] = {
            "UpdateCount": 0,
            "ResultSet": {
                "Rows": rows,
                "ResultSetMetadata": {"ColumnInfo": [column.info() for column in execution.result.columns]},
            },
        }
        return answer if following is None else answer | {"NextToken": token(following)}

    def _runtime_statistics(self, body: dict[str, Any]) -> dict[str, Any]:
        execution = self._execution(body)
        statistics = execution.statistics()
        timeline = {
            key: statistics[key]
            for key in (
                "QueryQueueTimeInMillis",
                "EngineExecutionTimeInMillis",
                "ServiceProcessingTimeInMillis",
                "TotalExecutionTimeInMillis",
            )
        }
        output = len(execution.result.rows) if execution.result is not None else 0
        rows = {
            "InputRows": execution.input_rows,
            "InputBytes": execution.scanned_bytes,
            "OutputBytes": len(execution.result.data()) if execution.result is not None else 0,
            "OutputRows": output,
        }
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    # --------------------------------------------------------------------------------------------------- work groups

    def _create_workgroup(self, body: dict[str, Any]) -> dict[str, Any]:
        self.workgroups.create(_required(body, "Name"), body.get("Description") or "", body.get("Configuration") or {})
        return {}

    def _update_workgroup(self, body: dict[str, Any]) -> dict[str, Any]:
        group = self.workgroups.get(_required(body, "WorkGroup"))
        group.update(body.get("ConfigurationUpdates") or {})
        group.description = body.get("Description", group.description)
        group.state = body.get("State", group.state)
        return {}

    def _delete_workgroup(self, body: dict[str, Any]) -> dict[str, Any]:
        name = _required(body, "WorkGroup")
        self.workgroups.get(name)
        if self._executions.of_workgroup(name) and not body.get("RecursiveDeleteOption"):
            raise invalid_request(f"WorkGroup {name} is not empty.")
        self.workgroups.delete(name)
        return {}


def _required(body: dict[str, Any], member: str) -> Any:
    value = body.get(member)
    if not value:
        raise invalid_request(f"{member} is required")
    return value
