"""The stack of examples/three-systems, declared in Python: `python main.py` writes cdktf.out/stacks/three-systems."""

from __future__ import annotations

from cdktf import App, TerraformOutput, TerraformStack
from constructs import Construct
from workflow_constructs.cdktf import HarnessExecution, NexthinkExecution, VcdExecution, WorkflowProvider


class ThreeSystems(TerraformStack):
    """One run in each system; the repair follows the deployment."""

    def __init__(self, scope: Construct, name: str) -> None:
        """Declare the runs and what they report."""
        super().__init__(scope, name)
        WorkflowProvider(self, "workflow")
        deploy = HarnessExecution(
            self,
            "deploy",
            application="Test App",
            workflow="multi service graphql test",
            variables={
                "Environment": "Prod",
                "InfraDefinition_Kubernetes": "k8s",
                "InfraDefinition_Kubernetes2": "k8s",
            },
            artifacts={
                "test": {"source": "library_nginx", "build_number": "stable-perl"},
                "k8s": {"source": "docker_hello-world", "build_number": "latest"},
            },
        )
        repair = NexthinkExecution(
            self,
            "repair",
            workflow="#service_restart_and_repair",
            devices=[{"name": "LAPTOP-01"}, {"name": "LAPTOP-02"}],
            users=[{"upn": "ann@example.com"}],
            params={"service": "spooler"},
            triggers={"deployment": deploy.id},
        )
        onboard = VcdExecution(
            self,
            "onboard",
            workflow="Onboard tenant",
            parameters={"vmName": "web-1", "size": 2, "notify": True, "tags": ["a", "b"]},
        )
        TerraformOutput(self, "harness_status", value=deploy.status)
        TerraformOutput(self, "nexthink_status", value=repair.status)
        TerraformOutput(self, "vcd_status", value=onboard.status)


if __name__ == "__main__":
    app = App()
    ThreeSystems(app, "three-systems")
    app.synth()
