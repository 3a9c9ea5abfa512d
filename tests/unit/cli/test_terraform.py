"""The Terraform binary: which one is taken, how it is fetched and checked, and what it gets to see."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from provider_py.cli import terraform
from provider_py.cli.errors import CommandError

CONTENT = b"#!/bin/sh\necho Terraform\n"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without talking about it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Make a release as it is published, with its sums."""
    directory = tmp_path / "releases" / terraform.VERSION
    directory.mkdir(parents=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("terraform", CONTENT)
    name = f"terraform_{terraform.VERSION}_{terraform.platform_name()}.zip"
    (directory / name).write_bytes(archive.getvalue())
    sums = f"{'0' * 64}  other.zip\n{hashlib.sha256(archive.getvalue()).hexdigest()}  {name}\n"
    (directory / f"terraform_{terraform.VERSION}_SHA256SUMS").write_text(sums)
    return directory


@pytest.fixture
def releases(published: Path) -> Iterator[str]:
    """Serve the release."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(published.parent)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_fetched_release_is_executable_and_fetched_once(tmp_path: Path, releases: str, published: Path) -> None:
    binary = terraform.fetch(tmp_path / "tools", releases)
    assert binary.read_bytes() == CONTENT
    assert os.access(binary, os.X_OK)
    for file in published.iterdir():
        file.unlink()
    assert terraform.fetch(tmp_path / "tools", releases) == binary


def test_a_release_that_differs_from_its_sum_is_thrown_away(tmp_path: Path, releases: str, published: Path) -> None:
    archive = next(published.glob("*.zip"))
    archive.write_bytes(archive.read_bytes() + b"more")
    with pytest.raises(CommandError, match="does not match its published SHA-256 sum"):
        terraform.fetch(tmp_path / "tools", releases)
    assert not (tmp_path / "tools").exists()


def test_offline_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Install Terraform"):
        terraform.fetch(tmp_path / "tools", "http://127.0.0.1:9")


def test_a_binary_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in terraform.NAMES:
        (tmp_path / name).write_bytes(CONTENT)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert terraform.find(tmp_path / "tools") == tmp_path / "terraform"
    (tmp_path / "terraform").unlink()
    assert terraform.find(tmp_path / "tools") == tmp_path / "tofu"


@pytest.mark.parametrize("name", ["TF_CLI_CONFIG_FILE", "TF_LOG", "HARNESS_API_KEY", "VCD_URL", "NEXTHINK_REGION"])
def test_nothing_of_the_users_settings_gets_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "the user's")
    made = terraform.environment(tmp_path, VCD_ORG="acme")
    assert name not in made
    assert made["HOME"] == str(tmp_path)
    assert made["VCD_ORG"] == "acme"
    assert made["PATH"] == os.environ["PATH"]


def test_an_unsupported_platform_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "sparc64")
    with pytest.raises(CommandError, match="sparc64 is not supported"):
        terraform.platform_name()
