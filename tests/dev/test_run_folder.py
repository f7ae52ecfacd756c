"""A run's folder: empty, its own, gone afterwards."""

from pathlib import Path

import pytest

from dev.run_folder import run_folder


def test_it_is_empty_at_first_and_gone_at_last(tmp_path: Path) -> None:
    with run_folder(tmp_path / "a" / "b") as folder:
        (folder / "state" / "deep").mkdir(parents=True)
        (folder / "state" / "file").touch()
    assert not folder.exists()


def test_what_is_kept_goes_at_the_next_start(tmp_path: Path) -> None:
    with run_folder(tmp_path / "a", keep=True) as folder:
        (folder / "state").mkdir()
        (folder / "link").symlink_to(tmp_path)
    assert (folder / "state").exists()
    with run_folder(folder):
        assert not (folder / "state").exists()
        assert not (folder / "link").is_symlink()
    assert tmp_path.exists()


def test_two_runs_do_not_share_it(tmp_path: Path) -> None:
    with run_folder(tmp_path / "a") as folder:
        (folder / "state").touch()
        with pytest.raises(FileExistsError, match="runs in"), run_folder(folder):
            pass
        assert (folder / "state").exists()


def test_what_is_not_a_runs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="not ours"), run_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").exists()
