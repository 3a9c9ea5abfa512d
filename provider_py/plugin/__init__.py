"""Terraform's side of a provider, for those who write resources: typed models, validation, results, diagnostics.

Nothing exported here knows gRPC or protobuf: those live in `provider_py.plugin.rpc`, which decodes Terraform's
requests into the models declared with this package, delegates, and encodes what comes back. An implementation never
sees a dictionary in place of a model.
"""

from provider_py.plugin.checks import (
    duration,
    max_length,
    not_empty,
    one_of,
    parse_duration,
    pattern,
    quoted,
    url,
)
from provider_py.plugin.diagnostics import (
    Diagnostic,
    DiagnosticError,
    Key,
    Path,
    Severity,
    error,
    format_path,
    has_error,
    warning,
)
from provider_py.plugin.redaction import protect, redact
from provider_py.plugin.resource import (
    ApplyResult,
    Change,
    DataSource,
    Decoded,
    Plan,
    Provider,
    ProviderFactory,
    ReadResult,
    Resource,
)
from provider_py.plugin.schema import (
    Attribute,
    Check,
    Dynamic,
    ListOf,
    MapOf,
    Object,
    Primitive,
    Type,
    TypeName,
    attributes,
    computed,
    model,
    optional,
    required,
    setting,
)
from provider_py.plugin.settings import resolve
from provider_py.plugin.validators import at_most_one, exactly_one, required_together

__all__ = [
    "ApplyResult",
    "Attribute",
    "Change",
    "Check",
    "DataSource",
    "Decoded",
    "Diagnostic",
    "DiagnosticError",
    "Dynamic",
    "Key",
    "ListOf",
    "MapOf",
    "Object",
    "Path",
    "Plan",
    "Primitive",
    "Provider",
    "ProviderFactory",
    "ReadResult",
    "Resource",
    "Severity",
    "Type",
    "TypeName",
    "at_most_one",
    "attributes",
    "computed",
    "duration",
    "error",
    "exactly_one",
    "format_path",
    "has_error",
    "max_length",
    "model",
    "not_empty",
    "one_of",
    "optional",
    "parse_duration",
    "pattern",
    "protect",
    "quoted",
    "redact",
    "required",
    "required_together",
    "resolve",
    "setting",
    "url",
    "warning",
]
