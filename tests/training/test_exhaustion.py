"""A pod that lacks memory or disk: told apart from bad data and from bad code."""

from pathlib import Path

import pytest

DATA = {"drop": ["customer", "since", "loss", "band"]}


@pytest.mark.parametrize(
    ("lacks", "code", "reason", "words"),
    [
        ("memory", 64, "OutOfMemory", "more memory was asked for than there is (Unable to allocate 512. PiB"),
        ("disk", 1, "DiskFull", "no space is left on the disk"),
    ],
)
def test_a_users_code_that_asks_for_more_than_there_is_is_not_blamed(bench, lacks, code, reason, words):
    end = bench.run(bench.order(features=f"tests.training.lacking:{lacks}", data=DATA))
    assert (end.code, end.outcome.reason, end.outcome.step) == (code, reason, "validate")
    assert words in end.outcome.message
    assert end.outcome.retryable is (code == 1)


def test_a_disk_that_is_full_while_data_is_read_is_no_fault_of_the_data(bench, monkeypatch):
    def read(listed, path):
        Path("/dev/full").write_bytes(bench.data.objects[listed.uri])

    monkeypatch.setattr(bench.data, "read", read)
    end = bench.run(bench.order(data=DATA))
    assert (end.code, end.outcome.reason, end.outcome.step) == (1, "DiskFull", "ingest")
    assert "ephemeral-storage" in end.outcome.message


def test_a_disk_that_is_full_while_files_are_written_ends_without_a_version(bench, monkeypatch):
    monkeypatch.setattr(
        "mira_training.steps.publish.model_card", lambda *_: Path("/dev/full").write_bytes(b"x" * 2**20)
    )
    end = bench.run(bench.order(data=DATA, parameters={"max_iter": 2}))
    assert (end.code, end.outcome.reason, end.outcome.step) == (1, "DiskFull", "publish")
    assert bench.body("v1") is None
