"""An expectation of our own: something known of a partition, other than by its rows, lies between two bounds.

The facts are given, not measured (see ``dmd_pipeline.expectations``): how many rows there are beside the usual number,
how old the newest file is. A fact that is None could not be known, and an expectation of it passes: nobody is woken for
a history that is too short.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar


FACT_METRIC = "partition.fact"
"""Name of the metric; its value keyword ``fact`` says which."""


@cache
def define_fact_expectation() -> type[Any]:
    """The class that Great Expectations knows as ``expect_partition_fact_to_be_between``; defining it registers it."""
    from great_expectations.expectations.expectation import BatchExpectation
    from great_expectations.render.components import (
        LegacyDiagnosticRendererType,
        LegacyRendererType,
        RenderedStringTemplateContent,
    )
    from great_expectations.render.renderer.renderer import renderer
    from great_expectations.validator.metric_configuration import MetricConfiguration

    class ExpectPartitionFactToBeBetween(BatchExpectation):
        """Expect a fact of the partition to lie between two bounds, both included; one that is unknown passes."""

        fact: str
        min_value: float | None = None
        max_value: float | None = None

        domain_keys: ClassVar[tuple[str, ...]] = ()
        success_keys: ClassVar[tuple[str, ...]] = ("fact", "min_value", "max_value")

        def get_validation_dependencies(
            self, execution_engine: Any = None, runtime_configuration: dict[str, Any] | None = None
        ) -> Any:
            """The one number it needs."""
            dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
            dependencies.set_metric_configuration(
                FACT_METRIC, MetricConfiguration(FACT_METRIC, {}, {"fact": self.fact})
            )
            return dependencies

        def _validate(
            self,
            metrics: dict[str, Any],
            runtime_configuration: dict[str, Any] | None = None,
            execution_engine: Any = None,
        ) -> dict[str, Any]:
            if metrics[FACT_METRIC] is None:
                return {"success": True, "result": {"observed_value": None}}
            return self._validate_metric_value_between(FACT_METRIC, metrics, runtime_configuration, execution_engine)

        @classmethod
        @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
        def _prescriptive_renderer(cls, configuration: Any = None, *_: Any, **__: Any) -> list[Any]:
            kwargs = configuration.kwargs
            bounds = {"min_value": "at least $min_value", "max_value": "at most $max_value"}
            given = {key: f"{kwargs[key]:,}".removesuffix(".0") for key in bounds if kwargs.get(key) is not None}
            wanted = " and ".join(bounds[key] for key in given)
            return [
                RenderedStringTemplateContent(
                    content_block_type="string_template",
                    string_template={
                        "template": f"The partition's $fact must be {wanted}, where it is known.",
                        "params": {"fact": kwargs["fact"], **given},
                        "styling": {"default": {"classes": ["badge", "badge-secondary"]}},
                    },
                )
            ]

        @classmethod
        @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
        def _diagnostic_observed_value_renderer(
            cls,
            configuration: Any = None,  # noqa: ARG003 - named as theirs
            result: Any = None,
            *_: Any,
            **__: Any,
        ) -> str:
            if result.result["observed_value"] is None:
                return "not measured"
            return str(cls._get_observed_value_from_evr(result=result))

    return ExpectPartitionFactToBeBetween
