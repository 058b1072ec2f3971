"""The supervisor keeps services running and `down` leaves nothing, whatever was killed before."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import pytest
from own_services import answers, assert_nothing_left, pid_of, until

from huiliu import ports, processes, services, supervision
from huiliu.errors import ConfigError, HuiliuError
from huiliu.settings import forget_settings


def test_a_service_comes_up_survives_kill_and_leaves_nothing(own_home: Path) -> None:
    assert {state.state for state in services.status()} == {"stopped"}
    services.up(["postgres"])
    first = pid_of("postgres")
    services.up(["postgres"])
    assert pid_of("postgres") == first, "a service that runs is left alone"

    os.kill(first, signal.SIGKILL)
    until(lambda: answers() and pid_of("postgres") != first, 30)

    ours = [each.pid for each in processes.of_instance(supervision.token())]
    assert len(ours) >= 2, "supervisord and PostgreSQL at least"
    services.down()
    # supervisord is this test's own child here: nobody else can take note of its end.
    assert [pid for pid in ours if processes.start_time(pid) is not None] == []
    assert_nothing_left()
    services.down()


def test_down_after_the_supervisor_was_killed_leaves_nothing(own_home: Path) -> None:
    services.up(["postgres"])
    supervisor = supervision.running()
    assert supervisor is not None
    os.kill(supervisor.process.pid, signal.SIGKILL)
    until(lambda: supervision.running() is None, 5)
    assert answers(), "PostgreSQL itself still runs, as an orphan"
    services.down()
    assert not answers()
    assert_nothing_left()


def test_up_after_the_supervisor_was_killed_takes_over(own_home: Path) -> None:
    services.up(["postgres"])
    supervisor = supervision.running()
    assert supervisor is not None
    os.kill(supervisor.process.pid, signal.SIGKILL)
    services.up(["postgres"])
    assert answers()


def test_a_record_of_a_process_that_is_not_ours_is_not_believed(own_home: Path) -> None:
    stale = {"pid": os.getpid(), "started": 1, "port": 1, "password": "x"}
    (supervision.run_folder() / "supervisord.json").write_text(json.dumps(stale), encoding="utf-8")
    assert supervision.running() is None
    services.down()


def test_a_taken_port_is_left_to_who_has_it(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        monkeypatch.setenv("HUILIU_POSTGRES_PORT", str(number))
        forget_settings()
        services.up(["postgres"])
        assert ports.port("postgres") != number
        assert answers()


def test_a_port_taken_after_it_was_chosen_is_left_and_its_holder_never_asked(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As happened: two installations chose one port; the slower took the other's server for its own."""
    services.up(["postgres"])
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        stranger.settimeout(0)
        number = stranger.getsockname()[1]
        (own_home / "ports.json").write_text(
            json.dumps({"postgres": ports.port("postgres"), "source_api": number}), encoding="utf-8"
        )
        choose, chosen = ports.claim, list[int]()

        def choose_too_early(service: str) -> int:
            chosen.append(number if not chosen else choose(service))
            return chosen[-1]

        monkeypatch.setattr(ports, "claim", choose_too_early)
        services.up(["source-api"])
        assert ports.port("source_api") != number
        assert processes.listens(pid_of("source-api"), ports.port("source_api"))
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_a_service_that_cannot_start_is_named_with_the_end_of_its_log(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_BIND", "192.0.2.1")  # an address this machine does not have
    forget_settings()
    with pytest.raises(HuiliuError, match=r"(?s)service source-api .*address") as failure:
        services.up(["source-api"])
    assert "source-api.log" in failure.value.fix


def test_an_unknown_service_is_refused_before_anything_starts(own_home: Path) -> None:
    with pytest.raises(ConfigError, match="there is no service postgresql"):
        services.up(["postgresql"])
    assert supervision.running() is None


def test_secrets_of_the_services_are_readable_by_their_owner_only(own_home: Path) -> None:
    services.up(["postgres"])
    folder = supervision.run_folder()
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.glob("*.json"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_changed_setting_reaches_services_that_run_already(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.up(["postgres", "source-api"])
    before, server = pid_of("source-api"), pid_of("postgres")
    monkeypatch.setenv("HUILIU_REGISTRY", str(own_home / "firms.csv"))
    forget_settings()
    services.up(["postgres"])
    assert pid_of("source-api") != before
    assert pid_of("postgres") == server, "the server reads none of the settings that may change"
    environment = Path(f"/proc/{pid_of('source-api')}/environ").read_text(encoding="utf-8")
    assert f"HUILIU_REGISTRY={own_home}/firms.csv" in environment.split("\0")
