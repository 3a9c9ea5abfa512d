"""The methods that concern resources and data sources, through the real process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tfplugin6 import tfplugin6_pb2 as pb

from tests.protocol.things import device, dynamic, thing
from tests.support import host
from tests.support.host import Plugin, tree, value

CREATED = thing(mode="calm", id="id-a", outputs=dynamic(["object", {"n": "number"}], {"n": 1}), revision=0)


def steps(told: pb.Diagnostic) -> list[str | int]:
    """Return a diagnostic's path, with map keys in brackets."""
    names = {"attribute_name": "{}", "element_key_string": "[{}]", "element_key_int": "{}"}
    return [
        names[str(step.WhichOneof("selector"))].format(getattr(step, str(step.WhichOneof("selector"))))
        for step in told.attribute.steps
    ]


def test_schema(plugin: Plugin) -> None:
    answer = plugin.stub.GetProviderSchema(pb.GetProviderSchema.Request())
    assert answer.server_capabilities.get_provider_schema_optional
    assert {each.name: each.sensitive for each in answer.provider.block.attributes} == {
        "endpoint": False,
        "api_key": True,
    }
    schema = answer.resource_schemas["toy_thing"]
    attributes = {each.name: each for each in schema.block.attributes}
    assert schema.version == 2
    assert not schema.block.block_types
    assert attributes["name"].required
    assert (attributes["mode"].optional, attributes["mode"].computed) == (True, True)
    assert (attributes["size"].optional, attributes["size"].computed) == (True, False)
    assert (attributes["id"].optional, attributes["id"].computed) == (False, True)
    assert attributes["secret"].write_only
    assert json.loads(attributes["tags"].type) == ["map", "string"]
    assert json.loads(attributes["payload"].type) == "dynamic"
    assert attributes["devices"].nested_type.nesting == pb.Schema.Object.LIST
    assert attributes["settings"].nested_type.nesting == pb.Schema.Object.SINGLE
    assert [each.name for each in attributes["devices"].nested_type.attributes] == ["name", "serial", "enabled"]
    assert answer.data_source_schemas["toy_lookup"].block.description == "Looks up."


def test_metadata_names_what_the_schema_describes(plugin: Plugin) -> None:
    metadata = plugin.stub.GetMetadata(pb.GetMetadata.Request())
    schema = plugin.stub.GetProviderSchema(pb.GetProviderSchema.Request())
    assert {each.type_name for each in metadata.resources} == set(schema.resource_schemas)
    assert {each.type_name for each in metadata.data_sources} == set(schema.data_source_schemas)


def test_empty_offers(plugin: Plugin) -> None:
    assert not plugin.stub.GetFunctions(pb.GetFunctions.Request()).functions
    identities = plugin.stub.GetResourceIdentitySchemas(pb.GetResourceIdentitySchemas.Request())
    assert not identities.identity_schemas


@pytest.mark.parametrize(
    ("given", "path", "said"),
    [
        ({"name": " "}, ["name"], "visible character"),
        ({"mode": "loud"}, ["mode"], 'Must be one of: "calm", "wild"; got "loud".'),
        ({"tags": {"a.b": ""}}, ["tags", "[a.b]"], "visible character"),
        ({"tags": {"k": None}}, ["tags", "[k]"], "null"),
        ({"lines": ["x", None]}, ["lines", "1"], "null"),
        ({"size": "1.5"}, ["size"], "1.5 is not a whole number"),
        ({"devices": [device("a"), device("")]}, ["devices", "1", "name"], "visible character"),
        (
            {"settings": {"timeout": "soon", "region": None, "token": None}},
            ["settings", "timeout"],
            "Must be a duration",
        ),
        ({"enabled": False, "size": 1}, ["size"], "A disabled thing has no size"),
    ],
)
def test_validation_names_the_attribute(plugin: Plugin, given: dict[str, Any], path: list[str], said: str) -> None:
    (told,) = plugin.validate(thing(**given)).diagnostics
    assert told.severity == pb.Diagnostic.ERROR
    assert steps(told) == path
    assert said in told.detail


def test_unknown_values_pass_validation(plugin: Plugin) -> None:
    config = thing(
        name=host.UNKNOWN,
        mode=host.UNKNOWN,
        size=host.UNKNOWN,
        enabled=False,
        tags={"a": host.UNKNOWN},
        lines=host.UNKNOWN,
        devices=[device(host.UNKNOWN)],
        settings=host.UNKNOWN,
    )
    assert not plugin.validate(config).diagnostics


def test_plan_without_change_is_the_prior_state(plugin: Plugin) -> None:
    planned = plugin.plan(CREATED, thing(), private=b"kept")
    assert tree(planned.planned_state) == CREATED
    assert not planned.requires_replace
    assert planned.planned_private == b"kept"


def test_plan_of_an_update_keeps_results_but_those_the_resource_gives_up(plugin: Plugin) -> None:
    planned = plugin.plan(CREATED, thing(size=3))
    state = tree(planned.planned_state)
    assert (state["size"], state["id"], state["outputs"]) == (3, "id-a", CREATED["outputs"])
    assert state["revision"] == host.UNKNOWN
    assert not planned.requires_replace


def test_plan_says_what_forces_replacement(plugin: Plugin) -> None:
    prior = {**CREATED, "settings": {"timeout": "30s", "region": "eu", "token": None}}
    config = thing(name="b", settings={"timeout": None, "region": "us", "token": None})
    planned = plugin.plan(prior, config)
    names = [[step.attribute_name for step in path.steps] for path in planned.requires_replace]
    assert names == [["name"], ["settings", "region"]]
    waived = plugin.plan({**prior, "mode": "wild"}, {**config, "mode": "wild"})
    assert not waived.requires_replace


def test_plan_private_of_the_resource_wins(plugin: Plugin) -> None:
    answer = plugin.plan(CREATED, thing(behaviour="explain", size=1), private=b"kept")
    assert answer.planned_private == b"planned"
    assert "changed ['behaviour', 'size']" in answer.diagnostics[0].detail


def test_plan_can_be_refused(plugin: Plugin) -> None:
    (told,) = plugin.plan(None, thing(behaviour="refuse plan")).diagnostics
    assert steps(told) == ["tags", "[color]"]


def test_plan_of_destruction_is_null(plugin: Plugin) -> None:
    planned = plugin.plan(CREATED, None, private=b"kept")
    assert tree(planned.planned_state) is None
    assert planned.planned_private == b"kept"


def test_life_of_a_thing(plugin: Plugin) -> None:
    config = thing(size=1, tags={"a": "b"}, devices=[device("d")])
    created = plugin.create(config)
    state = tree(created.new_state)
    assert (state["id"], state["revision"], created.private) == ("id-a", 0, b"+made")

    read = plugin.stub.ReadResource(
        pb.ReadResource.Request(type_name="toy_thing", current_state=created.new_state, private=created.private)
    )
    assert tree(read.new_state) == state
    assert read.private == b"+made"

    changed = {**config, "size": 2}
    updated = plugin.apply(state, plugin.plan(state, changed, private=read.private), changed)
    assert (tree(updated.new_state)["size"], tree(updated.new_state)["revision"]) == (2, 1)
    assert updated.private == b"+made"

    gone = plugin.apply(tree(updated.new_state), plugin.plan(tree(updated.new_state), None), None)
    assert tree(gone.new_state) is None
    assert not gone.diagnostics


@pytest.mark.parametrize(
    ("behaviour", "said", "path"),
    [
        ("refuse", "It said no", ["devices", "1", "name"]),
        ("crash", "RuntimeError", []),
        ("cancel", "did not finish", []),
        ("nothing", "neither an error nor a state", []),
    ],
)
def test_a_failed_creation_leaves_nothing(plugin: Plugin, behaviour: str, said: str, path: list[str]) -> None:
    answer = plugin.create(thing(behaviour=behaviour))
    (told,) = answer.diagnostics
    assert told.severity == pb.Diagnostic.ERROR
    assert said in told.detail
    assert steps(told) == path
    assert tree(answer.new_state) is None


def test_a_failed_creation_is_kept(plugin: Plugin) -> None:
    answer = plugin.create(thing(behaviour="taint"))
    assert answer.diagnostics[0].severity == pb.Diagnostic.ERROR
    assert tree(answer.new_state)["id"] == "id-a"
    assert answer.private == b"made"


def test_a_failed_update_leaves_the_prior_state(plugin: Plugin) -> None:
    config = thing(size=5, behaviour="update crash")
    answer = plugin.apply(CREATED, plugin.plan(CREATED, config), config)
    assert "RuntimeError: cannot update" in answer.diagnostics[0].detail
    assert tree(answer.new_state) == CREATED


def test_a_refused_destruction_keeps_the_state(plugin: Plugin) -> None:
    prior = {**CREATED, "behaviour": "keep"}
    answer = plugin.apply(prior, plugin.plan(prior, None), None)
    assert answer.diagnostics[0].summary == "Kept"
    assert tree(answer.new_state) == prior


def test_read_reports_what_is_gone_and_keeps_what_it_cannot_read(plugin: Plugin) -> None:
    def read(state: dict[str, Any]) -> pb.ReadResource.Response:
        answer: pb.ReadResource.Response = plugin.stub.ReadResource(
            pb.ReadResource.Request(type_name="toy_thing", current_state=value(state), private=b"p")
        )
        return answer

    assert tree(read({**CREATED, "name": "gone"}).new_state) is None
    failed = read({**CREATED, "behaviour": "read crash"})
    assert "This is a bug in the provider" in failed.diagnostics[0].detail
    assert "Report it." in failed.diagnostics[0].detail
    assert (tree(failed.new_state), failed.private) == ({**CREATED, "behaviour": "read crash"}, b"p")


def test_upgrade_drops_what_is_unknown_and_nulls_what_is_missing(plugin: Plugin) -> None:
    stored = {
        "name": "a",
        "ratio": 0.1,
        "size": 5,
        "dropped": [1],
        "devices": [{"name": "d", "dropped": 1}],
        "payload": {"type": ["list", "number"], "value": [1, 2.5]},
    }
    answer = plugin.stub.UpgradeResourceState(
        pb.UpgradeResourceState.Request(
            type_name="toy_thing", version=1, raw_state=pb.RawState(json=json.dumps(stored).encode())
        )
    )
    state = tree(answer.upgraded_state)
    assert state == thing(ratio="0.1", size=5, devices=[device("d")], payload=dynamic(["list", "number"], [1, "2.5"]))


@pytest.mark.parametrize("raw", [b"{", b'{"name": ["a"]}', b'{"payload": 1}', b'{"devices": {}}', b""])
def test_upgrade_of_an_alien_state_is_an_error_that_helps(plugin: Plugin, raw: bytes) -> None:
    answer = plugin.stub.UpgradeResourceState(
        pb.UpgradeResourceState.Request(type_name="toy_thing", version=1, raw_state=pb.RawState(json=raw))
    )
    assert answer.diagnostics[0].summary == "Unreadable resource state"
    assert "terraform state rm" in answer.diagnostics[0].detail


def test_import(plugin: Plugin) -> None:
    answer = plugin.stub.ImportResourceState(pb.ImportResourceState.Request(type_name="toy_thing", id="x"))
    (imported,) = answer.imported_resources
    assert (imported.type_name, imported.private) == ("toy_thing", b"in")
    assert tree(imported.state) == thing(name="x", mode="calm", id="x")
    missing = plugin.stub.ImportResourceState(pb.ImportResourceState.Request(type_name="toy_thing", id="gone"))
    assert missing.diagnostics[0].summary == "Cannot import non-existent remote object"
    refused = plugin.stub.ImportResourceState(pb.ImportResourceState.Request(type_name="toy_wait", id="x"))
    assert refused.diagnostics[0].summary == "No import"


def test_data_source(plugin: Plugin) -> None:
    def look_up(key: str, depth: int | None = None) -> pb.ReadDataSource.Response:
        config = {"key": key, "depth": depth, "found": None, "details": None}
        answer: pb.ReadDataSource.Response = plugin.stub.ReadDataSource(
            pb.ReadDataSource.Request(type_name="toy_lookup", config=value(config))
        )
        return answer

    assert tree(look_up("k").state) == {"key": "k", "depth": 3, "found": "k@3", "details": {"by": "toy"}}
    assert tree(look_up("k", 5).state)["found"] == "k@5"
    (told,) = look_up("missing").diagnostics
    assert steps(told) == ["key"]
    assert "neither an error nor a state" in look_up("nothing").diagnostics[0].detail
    wrong = {"key": "", "depth": None, "found": None, "details": None}
    validated = plugin.stub.ValidateDataResourceConfig(
        pb.ValidateDataResourceConfig.Request(type_name="toy_lookup", config=value(wrong))
    )
    assert steps(validated.diagnostics[0]) == ["key"]


def test_provider_configuration(plugin: Plugin) -> None:
    wrong = value({"endpoint": "", "api_key": None})
    validated = plugin.stub.ValidateProviderConfig(pb.ValidateProviderConfig.Request(config=wrong))
    assert steps(validated.diagnostics[0]) == ["endpoint"]
    config = value({"endpoint": "bad", "api_key": "key-in-message"})
    (told,) = plugin.stub.ConfigureProvider(pb.ConfigureProvider.Request(config=config)).diagnostics
    assert told.detail == "It does not take (sensitive)."


def test_names_of_other_versions_are_refused(plugin: Plugin) -> None:
    answer = plugin.validate({}, "toy_unheard")
    assert answer.diagnostics[0].summary == "Unknown resource type"
    data = plugin.stub.ReadDataSource(pb.ReadDataSource.Request(type_name="toy_unheard", config=value({})))
    assert data.diagnostics[0].summary == "Unknown data source"


def test_secrets_are_in_no_output(plugin: Plugin) -> None:
    answer = plugin.create(thing(behaviour="crash", secret="w0-secret", password='p"w\nd-secret'))
    assert "token (sensitive) and (sensitive) are wrong" in answer.diagnostics[0].detail
    lines = [json.loads(line) for line in plugin.printed().splitlines()]
    assert any("about to crash with (sensitive)" in line["@message"] for line in lines)
    assert any("RuntimeError" in line.get("traceback", "") for line in lines)
    assert "w0-secret" not in plugin.printed()
    assert "d-secret" not in plugin.printed()


def test_a_creation_whose_results_cannot_be_encoded_keeps_its_state(plugin: Plugin) -> None:
    answer = plugin.create(thing(behaviour="unstorable"))
    state = tree(answer.new_state)
    assert (state["id"], state["outputs"], state["revision"]) == ("id-a", None, 0)
    assert answer.private == b"made"
    cut, lost = answer.diagnostics
    assert (cut.severity, cut.summary, cut.HasField("attribute")) == (pb.Diagnostic.WARNING, "Cut \ufffd", False)
    assert lost.severity == pb.Diagnostic.WARNING
    assert "`outputs`" in lost.detail
    assert steps(lost) == ["outputs"]
