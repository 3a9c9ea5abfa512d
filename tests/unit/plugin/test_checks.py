"""The public checks."""

from __future__ import annotations

import pytest

from provider_py.plugin import Check, duration, max_length, not_empty, one_of, parse_duration, pattern, url


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("250ms", 0.25),
        ("1m0.5s", 60.5),
        ("3us", 3e-6),
        ("3µs", 3e-6),
        ("7ns", 7e-9),
        ("0", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)
    assert duration(text) is None


@pytest.mark.parametrize("text", ["", "5", "m", "1 h", "-5s", "5d", "1h-5m", "1e3s", ".s", "30m ", "5S"])
def test_what_is_no_duration(text: str) -> None:
    said = duration(text)
    assert said is not None
    assert said.startswith('Must be a duration such as "45s"')
    with pytest.raises(ValueError, match="Must be a duration"):
        parse_duration(text)


@pytest.mark.parametrize("address", ["https://a.example", "http://127.0.0.1:8080/api", "https://[::1]/x?y=1"])
def test_urls(address: str) -> None:
    assert url(address) is None


@pytest.mark.parametrize(
    "address", ["", "a.example", "ftp://a.example", "https://", "https://a b", "https://a:99999", "https://[::1"]
)
def test_what_is_no_url(address: str) -> None:
    assert url(address) == f'Must be a URL such as "https://example.com"; got "{address}"'


def test_url_with_credentials_is_refused_without_showing_them() -> None:
    said = url("https://ann:pass@a.example")
    assert said is not None
    assert "pass" not in said


@pytest.mark.parametrize(
    ("check", "good", "bad", "said"),
    [
        (pattern("#[a-z]+", "# and letters"), "#ab", "#ab!", 'Must be # and letters; got "#ab!"'),
        (pattern("^a$", "a"), "a", "a\n", 'Must be a; got "a\n"'),
        (one_of("a", "b"), "b", "c", 'Must be one of: "a", "b"; got "c"'),
        (one_of("a"), "a", "c", 'Must be one of: "a"; got "c"'),
        (max_length(2), "ab", "abc", "Must have at most 2 characters; got 3"),
        (max_length(1), ["a"], ["a", "b"], "Must have at most 1 elements; got 2"),
        (not_empty, "a", "\t ", 'Must contain a visible character; got "\t "'),
        (not_empty, ["a"], [], "Must have at least one element"),
        (not_empty, {"a": 1}, {}, "Must have at least one element"),
    ],
)
def test_checks(check: Check, good: object, bad: object, said: str) -> None:
    assert check(good) is None
    assert check(bad) == said


def test_long_values_are_cut() -> None:
    said = one_of("a")("x" * 500)
    assert said is not None
    assert len(said) < 200


def test_one_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        one_of()
