"""What the command line prints is what there is: names from outside are never read as markup."""

from __future__ import annotations

import sys

import pytest
from rich.console import Console

from huiliu import cli, cli_output
from huiliu.errors import ConfigError

AWKWARD = ["[a-z]*.csv", "[/mnt/x]", "[red]", ":smile:", "back\\"]


@pytest.mark.parametrize("text", AWKWARD)
def test_a_table_shows_cells_as_they_are(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_output, "out", Console(file=sys.stdout, width=200))
    cli_output.show([{"path": text, "error": None}], ["path", "error"], "files")
    assert text in capsys.readouterr().out


@pytest.mark.parametrize("text", AWKWARD)
def test_an_error_is_told_as_it_is_with_its_exit_code(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ConfigError(f"{text} is not there", fix="look")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(cli_output, "err", Console(file=sys.stderr, width=200))
    with pytest.raises(SystemExit) as ended:
        cli.run()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {text} is not there. Fix: look\n"
