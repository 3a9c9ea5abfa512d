"""The applications of a new account: two, one of them from the vendor's published example."""

from __future__ import annotations

from provider_py.sandbox.harness.artifact_sources import service_with_every_type
from provider_py.sandbox.harness.catalog import (
    CREATED,
    Application,
    Artifact,
    ArtifactSource,
    Environment,
    InfrastructureDefinition,
    Pipeline,
    Service,
    Stage,
    Variable,
    Workflow,
    fixed_id,
)


def applications() -> list[Application]:
    """New objects, so that every sandbox and every reset has its own."""
    return [_test_app(), _second_app()]


def _test_app() -> Application:
    app = Application("naNJDKrUTZKKdKycL5Tx4g", "Test App", CREATED)
    app.services = [
        _service(app, "test", "library_nginx", "library/nginx", ("stable-perl", "latest"), "XceFDCA7QgirrO8LJRphZQ"),
        _service(app, "k8s", "docker_hello-world", "hello-world", ("latest", "linux"), "kqf9rA1dQ4SluU54K-ouOw"),
        _parameterized_service(app),
        _chart_service(app),
    ]
    app.environments = [_environment(app, "Prod", "PROD", "k8s"), _environment(app, "QA", "NON_PROD", "k8s-qa")]
    app.workflows = [*_workflows(app), *_more_workflows(app)]
    app.pipelines = _pipelines(app)
    return app


def _second_app() -> Application:
    app = Application(fixed_id("Billing"), "Billing", CREATED)
    app.services = [service_with_every_type(app, CREATED)]
    app.environments = [_environment(app, "Prod", "PROD", "vm")]
    app.workflows = [_workflow(app, "rotate keys")]
    return app


def _service(
    app: Application, name: str, source: str, image: str, builds: tuple[str, ...], known_id: str | None = None
) -> Service:
    service = Service(known_id or fixed_id(app.name, "service", name), name, CREATED)
    service.artifact_sources = [_source(service, source, image, builds)]
    return service


def _source(
    service: Service, name: str, image: str, builds: tuple[str, ...], parameters: tuple[str, ...] = ()
) -> ArtifactSource:
    source = ArtifactSource(fixed_id(service.id, name), name, CREATED, details={"image_name": image})
    if parameters:
        source.graphql_type, source.details = "NexusArtifactSource", {}
        source.parameters = parameters
    source.artifacts = [Artifact(fixed_id(source.id, build), build, CREATED, source) for build in builds]
    return source


def _parameterized_service(app: Application) -> Service:
    service = Service(fixed_id(app.name, "service", "jar"), "jar", CREATED, "JAR", "SSH")
    service.artifact_sources = [_source(service, "nexus_jar", "releases", ("1.0", "1.1"), ("group", "artifact"))]
    return service


def _chart_service(app: Application) -> Service:
    service = Service(fixed_id(app.name, "service", "chart"), "chart", CREATED, "DOCKER", "HELM")
    service.charts = {"stable": ("1.2.3", "1.3.0")}
    return service


def _environment(app: Application, name: str, type_: str, infrastructure: str) -> Environment:
    environment = Environment(fixed_id(app.name, "environment", name), name, type_, CREATED, app)
    definition = InfrastructureDefinition(
        fixed_id(environment.id, infrastructure), infrastructure, CREATED, environment
    )
    environment.infrastructure_definitions = [definition]
    return environment


def _workflow(
    app: Application,
    name: str,
    *variables: Variable,
    services: tuple[Service, ...] = (),
    known_id: str | None = None,
) -> Workflow:
    environment = app.environments[0]
    workflow_id = known_id or fixed_id(app.name, "workflow", name)
    workflow_type = "MULTI_SERVICE" if len(services) > 1 else "BASIC"
    return Workflow(workflow_id, name, CREATED, variables, services, workflow_type, environment)


def _workflows(app: Application) -> list[Workflow]:
    test, k8s, *_ = app.services
    environment = Variable("Environment", "Environment")
    infrastructures = (
        Variable("InfraDefinition_Kubernetes", "Infrastructure definition"),
        Variable("InfraDefinition_Kubernetes2", "Infrastructure definition"),
    )
    return [
        _workflow(
            app,
            "multi service graphql test",
            environment,
            *infrastructures,
            services=(test, k8s),
            known_id="bhI2FyPrTpupdzL4QEk0_A",
        ),
        _workflow(app, "restart"),
        _workflow(
            app,
            "configured",
            Variable("size", allowed_values=("small", "medium", "large")),
            Variable("region", required=False, default_value="eu"),
            Variable("owner", default_value="platform", fixed=True),
            Variable("password", required=False, default_value=""),
        ),
    ]


def _more_workflows(app: Application) -> list[Workflow]:
    *_, jar, chart = app.services
    return [
        _workflow(app, "deploy jar", services=(jar,)),
        _workflow(app, "deploy chart", services=(chart,)),
        _workflow(app, "deploy any", Variable("Service", "Service")),
    ]


def _stage(
    pipeline: str, number: int, workflow: Workflow | None, runtime_variables: tuple[Variable, ...] = ()
) -> Stage:
    step = workflow.name if workflow else f"Approval {number}"
    return Stage(fixed_id(pipeline, str(number)), f"STAGE {number}", step, workflow, runtime_variables)


def _pipelines(app: Application) -> list[Pipeline]:
    workflows = {workflow.name: workflow for workflow in app.workflows}
    restart, deploy = workflows["restart"], workflows["multi service graphql test"]
    environment = Variable("Environment", "Environment")
    definition = Variable("InfraDefinition_Kubernetes", "Infrastructure definition", allow_multiple_values=True)
    ticket = Variable("ticket", required=False, default_value="none")

    def pipeline(name: str, variables: tuple[Variable, ...], *stages: Stage) -> Pipeline:
        pipeline_id = fixed_id(app.name, "pipeline", name)
        return Pipeline(pipeline_id, name, CREATED, variables, stages, app.environments[0])

    return [
        pipeline(
            "Test Pipeline",
            (environment, definition, Variable("note", required=False)),
            _stage("Test Pipeline", 1, restart),
            _stage("Test Pipeline", 2, deploy),
        ),
        pipeline(
            "Approved Pipeline",
            (),
            _stage("Approved Pipeline", 1, restart),
            _stage("Approved Pipeline", 2, None),
            _stage("Approved Pipeline", 3, restart),
        ),
        pipeline("Asking Pipeline", (ticket,), _stage("Asking Pipeline", 1, restart, (ticket,))),
        pipeline("Empty Pipeline", ()),
    ]
