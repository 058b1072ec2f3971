"""Secrets and ports: made once, kept, agreed on by every process of a home."""

from __future__ import annotations

import json
import pickle
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from huiliu import ports
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from huiliu.secret_store import ensure, secret


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(empty_home: Path) -> None:
    first = secret("huiliu_owner")
    assert len(first) >= 32
    assert secret("huiliu_owner") == first
    assert secret("airflow") != first
    file = empty_home / "secrets.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["huiliu_owner"] == first


def test_the_environment_overrides_a_secret_and_it_is_not_written(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_SECRET_HUILIU_OWNER", "mine")
    assert ensure(["huiliu_owner", "airflow"])["huiliu_owner"] == "mine"
    assert "mine" not in (empty_home / "secrets.json").read_text()
    monkeypatch.delenv("HUILIU_SECRET_HUILIU_OWNER")
    assert secret("huiliu_owner") != "mine"


def test_many_at_once_agree(empty_home: Path) -> None:
    names = [f"role_{number % 5}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        made = list(zip(names, pool.map(secret, names), strict=True))
    assert len(set(made)) == 5


def test_a_broken_file_is_named_and_not_replaced(empty_home: Path) -> None:
    (empty_home / "secrets.json").write_text('{"huiliu_owner": "half')
    with pytest.raises(ConfigError, match=r"secrets\.json are not valid JSON") as refused:
        secret("huiliu_owner")
    assert "half" not in str(refused.value)
    assert (empty_home / "secrets.json").read_text() == '{"huiliu_owner": "half'


def test_a_service_keeps_its_port_while_it_is_free(empty_home: Path) -> None:
    first = ports.claim("airflow")
    assert ports.port("airflow") == ports.claim("airflow") == first
    with socket.create_server(("127.0.0.1", first)):
        second = ports.claim("airflow")
    assert second != first
    assert ports.port("airflow") == second


def test_two_services_never_claim_one_port(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = ports.claim("airflow")
    (empty_home / "ports.json").write_text(json.dumps({"airflow": free, "source_api": free}))
    assert ports.claim("source_api") != free


@pytest.mark.parametrize("kind", [HuiliuError, ConfigError, TransientError, DataError])
def test_an_error_says_what_to_do_also_after_a_journey_between_processes(kind: type[HuiliuError]) -> None:
    error = pickle.loads(pickle.dumps(kind("the file is gone.", fix="put it back.")))  # noqa: S301 - our own bytes
    assert type(error) is kind
    assert str(error) == "the file is gone. Fix: put it back"
