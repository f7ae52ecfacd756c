"""The settings: each wrong value is refused with the name of its variable, before anything else happens."""

import os

import pytest
from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from mira.controller.__main__ import CANNOT_WORK, main
from mira.controller.settings import Settings

GOOD = {"MIRA_REGISTRY": "s3://mira/registry", "MIRA_CLUSTER_NAME": "prod"}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MIRA_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


WRONG = [
    ("MIRA_REGISTRY", None),
    ("MIRA_REGISTRY", ""),
    ("MIRA_REGISTRY", "mira"),
    ("MIRA_REGISTRY", "https://mira/registry"),
    ("MIRA_REGISTRY", "s3://"),
    ("MIRA_REGISTRY", "s3://UPPER/registry"),
    ("MIRA_REGISTRY", "s3://mira\n"),
    ("MIRA_CLUSTER_NAME", None),
    ("MIRA_CLUSTER_NAME", ""),
    ("MIRA_CLUSTER_NAME", "x" * 254),
    ("MIRA_OPERATOR_ACCOUNTS", ""),
    ("MIRA_OPERATOR_ACCOUNTS", " , "),
    ("MIRA_WORKERS", "0"),
    ("MIRA_WORKERS", "65"),
    ("MIRA_WORKERS", "many"),
    ("MIRA_WORKERS", ""),
    ("MIRA_WORKERS", "1.5"),
    ("MIRA_RESYNC_SECONDS", "0"),
    ("MIRA_RESYNC_SECONDS", "31"),
    ("MIRA_RESYNC_SECONDS", "nan"),
    ("MIRA_RELIST_SECONDS", "4"),
    ("MIRA_RELIST_SECONDS", "inf"),
    ("MIRA_PROBE_PORT", "-1"),
    ("MIRA_PROBE_PORT", "65536"),
    ("MIRA_PROBE_PORT", "tcp://10.0.0.1:8080"),
    ("MIRA_LOG_LEVEL", "LOUD"),
    ("MIRA_LOG_LEVEL", "info"),
    ("MIRA_S3_ENDPOINT", "not a url"),
    ("MIRA_S3_ENDPOINT", "ftp://host"),
    ("MIRA_SIGNING_SECRET", "Not_A_Name"),
    ("MIRA_VERIFY_KEYS", "/no/such/folder"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_ends_the_operator_with_a_sentence_that_names_its_variable(
    name: str, value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    assert main() == CANNOT_WORK
    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert line.startswith(f"{name}: ")
    assert "Traceback" not in said.err + said.out


def test_every_wrong_value_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MIRA_CLUSTER_NAME")
    monkeypatch.setenv("MIRA_WORKERS", "0")
    monkeypatch.setenv("MIRA_LOG_LEVEL", "LOUD")
    assert main() == CANNOT_WORK
    said = capsys.readouterr().err.splitlines()
    assert {line.split(":")[0] for line in said} == {"MIRA_CLUSTER_NAME", "MIRA_WORKERS", "MIRA_LOG_LEVEL"}


def test_two_variables_are_enough() -> None:
    settings = Settings()
    assert settings.operator_accounts == ("system:serviceaccount:mira-system:mira-operator",)
    assert (settings.workers, settings.probe_port, settings.log_level) == (8, 8080, "INFO")
    platform = settings.platform()
    assert (platform.registry, platform.default_image, platform.allowed_images) == ("s3://mira/registry", None, ())


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b ,", ("a", "b")),
        ("system:serviceaccount:x:y", ("system:serviceaccount:x:y",)),
    ],
)
def test_lists_are_written_with_commas(text: str, accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRA_OPERATOR_ACCOUNTS", text)
    assert Settings().operator_accounts == accounts


@pytest.mark.parametrize(
    "name", ["DEFAULT_IMAGE", "ALLOWED_IMAGE_PREFIXES", "S3_ENDPOINT", "KUBECONFIG", "VERIFY_KEYS", "SIGNING_SECRET"]
)
def test_an_empty_value_is_as_good_as_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart sets every variable, also those that its user left empty."""
    monkeypatch.setenv(f"MIRA_{name}", "")
    settings = Settings()
    assert not getattr(settings, name.lower())
    assert settings.platform().default_image is None


@pytest.mark.parametrize("root", ["s3://mira", "s3://mira/", "s3://mira/a/b", "s3://mira/a/b/", "s3://my.bucket-1/x"])
def test_a_registry_is_a_bucket_and_maybe_a_root(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRA_REGISTRY", root)
    assert Settings().platform().registry == root.rstrip("/")


def test_unknown_variables_and_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRA_OF_THE_FUTURE", "1")
    monkeypatch.setenv("WORKERS", "0")
    assert Settings().workers == 8


@pytest.mark.parametrize(
    ("endpoint", "taken"),
    [(url, url) for url in ("http://minio.storage:9000", "https://s3.example.com/", "http://[::1]:9000")]
    + [("", None)],
)
def test_every_endpoint_that_is_taken_is_one_that_botocore_takes(
    endpoint: str, taken: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRA_S3_ENDPOINT", endpoint)
    assert Settings().s3_endpoint == taken
    assert taken is None or is_valid_endpoint_url(taken) or is_valid_ipv6_endpoint_url(taken)
