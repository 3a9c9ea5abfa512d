"""The input objects resolvers read, typed; the schema turns what a request gives into these."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VariableValue:
    """A value; `type` is NAME, ID or EXPRESSION."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class VariableInput:
    """A variable's value by the variable's name."""

    name: str
    variable_value: VariableValue


@dataclass(frozen=True, slots=True)
class ParameterValueInput:
    """A value for a parameter of an artifact source."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class BuildInput:
    """A build of an artifact source, with parameters if that takes any."""

    artifact_source_name: str
    build_number: str
    parameter_value_inputs: list[ParameterValueInput] | None = None


@dataclass(frozen=True, slots=True)
class ArtifactIdInput:
    """An artifact by id."""

    artifact_id: str


@dataclass(frozen=True, slots=True)
class ArtifactValueInput:
    """Which artifact; `value_type` says which of the others counts."""

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
    """Which manifest; `value_type` says which of the others counts."""

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
    """What to start; lists that are not given are empty."""

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
    """The pipeline execution to run again, and from which stage."""

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
    """The answer to an approval."""

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
    """Compares a moment, in milliseconds."""

    operator: str
    value: int


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """Compares a number."""

    operator: str
    values: list[float] = field(default_factory=list)


CLASSES: dict[str, type] = {
    "VariableValue": VariableValue,
    "VariableInput": VariableInput,
    "ParameterValueInput": ParameterValueInput,
    "BuildNumberInput": BuildInput,
    "ParameterizedArtifactSourceInput": BuildInput,
    "ArtifactIdInput": ArtifactIdInput,
    "ArtifactValueInput": ArtifactValueInput,
    "VersionNumberInput": VersionNumberInput,
    "ManifestValueInput": ManifestValueInput,
    "ServiceInput": ServiceInput,
    "StartExecutionInput": StartExecutionInput,
    "ResumeExecutionInput": ResumeExecutionInput,
    "RuntimeExecutionInputsToResumePipeline": ResumeRuntimeInput,
    "ApproveOrRejectApprovalsInput": ApprovalAnswer,
    "IdFilter": IdFilter,
    "StringFilter": IdFilter,
    "TimeFilter": TimeFilter,
    "NumberFilter": NumberFilter,
}
