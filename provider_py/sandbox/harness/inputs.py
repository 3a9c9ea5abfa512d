"""The input objects that resolvers read by attribute; the schema converts a request's inputs to these."""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass


@dataclass(frozen=True, slots=True)
class VariableValue:
    """A value; `type` is NAME, ID or EXPRESSION."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class VariableInput:
    """A variable by name, and its value."""

    name: str
    variable_value: VariableValue


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class BuildInput:
    """A build of an artifact source, with values for the source's parameters."""

    artifact_source_name: str
    build_number: str
    parameter_value_inputs: list[NamedValue] | None = None


@dataclass(frozen=True, slots=True)
class ArtifactIdInput:
    """An artifact by id."""

    artifact_id: str


@dataclass(frozen=True, slots=True)
class ArtifactValueInput:
    """An artifact; `value_type` decides which of the other members is read."""

    value_type: str
    artifact_id: ArtifactIdInput | None = None
    build_number: BuildInput | None = None
    parameterized_artifact_source: BuildInput | None = None


@dataclass(frozen=True, slots=True)
class VersionNumberInput:
    """A version of a manifest source."""

    app_manifest_name: str
    version_number: str


@dataclass(frozen=True, slots=True)
class ManifestValueInput:
    """A manifest; `value_type` decides which of the other members is read."""

    value_type: str
    helm_chart_id: str | None = None
    version_number: VersionNumberInput | None = None


@dataclass(frozen=True, slots=True)
class ServiceInput:
    """What to deploy for a service."""

    name: str
    artifact_value_input: ArtifactValueInput | None = None
    manifest_value_input: ManifestValueInput | None = None


@dataclass(frozen=True, slots=True)
class StartExecutionInput:
    """A start; absent lists are empty."""

    application_id: str
    entity_id: str
    execution_type: str
    client_mutation_id: str | None = None
    variable_inputs: list[VariableInput] | None = None
    service_inputs: list[ServiceInput] | None = None
    notes: str | None = None
    exclude_hosts_with_same_artifact: bool | None = None
    target_to_specific_hosts: bool | None = None
    specific_hosts: list[str] | None = None
    continue_with_default_values: bool | None = None


@dataclass(frozen=True, slots=True)
class ResumeExecutionInput:
    """The pipeline execution to resume, and from which stage."""

    application_id: str
    pipeline_execution_id: str
    pipeline_stage_name: str
    client_mutation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeRuntimeInput:
    """Values for a stage that waits for them."""

    application_id: str
    pipeline_execution_id: str
    pipeline_stage_element_id: str
    client_mutation_id: str | None = None
    variable_inputs: list[VariableInput] | None = None
    service_inputs: list[ServiceInput] | None = None


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """An answer to an approval."""

    execution_id: str
    approval_id: str
    action: str
    application_id: str
    variable_inputs: list[dict[str, str]] | None = None
    comments: str | None = None
    client_mutation_id: str | None = None
    user_email: str | None = None


@dataclass(frozen=True, slots=True)
class IdFilter:
    """Compares ids."""

    operator: str
    values: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TimeFilter:
    """Compares a time in epoch milliseconds."""

    operator: str
    value: int


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """Compares a number."""

    operator: str
    values: list[float] = field(default_factory=list)


CLASSES: dict[str, type] = {
    **{name: value for name, value in globals().items() if isinstance(value, type) and is_dataclass(value)},
    "ParameterValueInput": NamedValue,
    "BuildNumberInput": BuildInput,
    "ParameterizedArtifactSourceInput": BuildInput,
    "RuntimeExecutionInputsToResumePipeline": ResumeRuntimeInput,
    "ApproveOrRejectApprovalsInput": ApprovalAnswer,
    "StringFilter": IdFilter,
}
"""By the name of the GraphQL input type, which is the class's own unless it is listed."""
