"""Questions to people: a task that waits until somebody approves a plan, and the answer to it.

Not Airflow's ``ApprovalOperator``: after a rejection it leaves no answer and skips what comes after it, whatever the
trigger rule, so that nothing could tell what became of the run.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import HITLOperator

from dmd_pipeline.airflow.params import APPROVAL_HOURS


if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


REJECT: Final = "Reject"


class AskToApprove(HITLOperator):
    """Ask whether a plan may be applied; no answer in time is a rejection.

    The task ``plan`` has returned it: ``{"asking": {name: {"digest": …, "plan": …}}}``, the plan as Markdown; where
    there is a plan for each table, the name is the table's. The digest stands in the option that is chosen, so that the
    answer says which plan somebody saw: Airflow shows a question that is asked anew (its task was cleared) as it was at
    first.
    """

    template_fields: Sequence[str] = ("subject", "body", "options")

    def __init__(self, *, name: str, hours: int, question: str, what_follows: str, **arguments: Any) -> None:
        plan = f"ti.xcom_pull(task_ids='plan')['asking']['{name}']"
        super().__init__(
            task_id=f"approve_{name}",
            subject=f"{question.format(name=name)} (plan {{{{ {plan}['digest'] }}}})",
            body=f"{{{{ {plan}['plan'] }}}}\n\n{what_follows}",
            options=[approval("{{ " + f"{plan}['digest']" + " }}"), REJECT],
            defaults=REJECT,
            response_timeout=timedelta(hours=hours),  # unless the run says otherwise
            doc_md="Wait until somebody approves or rejects the plan; no answer in time is a rejection.",
            **arguments,
        )

    def execute(self, context: Context) -> Any:
        """Ask, for as long as the run says; the scheduler takes the default when nobody has answered by then."""
        self.response_timeout = timedelta(hours=context["params"][APPROVAL_HOURS])
        return super().execute(context)

    def validate_chosen_options(self, chosen_options: list[str]) -> None:
        """Take what Airflow's API took: an approval of another plan is told by its digest, and a retry is no help."""


def approval(digest: str) -> str:
    """The option that approves a plan."""
    return f"Approve plan {digest}"


def approved_digest(context: Context, name: str) -> str | None:
    """The digest of the plan that somebody approved in this run; None without an approval."""
    answer = context["ti"].xcom_pull(task_ids=f"approve_{name}")
    chosen = answer["chosen_options"] if answer else []
    prefix = approval("")
    return next((option.removeprefix(prefix) for option in chosen if option.startswith(prefix)), None)
