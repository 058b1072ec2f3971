"""Airflow under the supervisor; the only start of it among the tests."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from own_services import assert_nothing_left, pid_of, until

from huiliu import processes, provision, services, supervision
from huiliu.airflow_api import AirflowApi
from huiliu.settings import get_settings


def test_airflow_comes_up_heals_and_leaves_nothing(own_home: Path) -> None:
    services.up(["postgres"])
    provision.provision()
    services.up(["airflow"])
    states = {state.name: state.state for state in services.status()}
    assert all(state == "running" for name, state in states.items() if name.startswith("airflow-"))
    with AirflowApi() as api:
        assert api.pools().items() >= {"warehouse": 1, "sources": 2, "front_ends": 3}.items()
        assert api.import_errors() == []

    scheduler = pid_of("airflow-scheduler")
    left_behind = [each for each in _of("airflow-scheduler") if each.pid != scheduler]
    assert left_behind, "the scheduler forks its workers"
    os.kill(scheduler, signal.SIGKILL)
    until(lambda: not processes.alive(left_behind), 30)
    until(lambda: pid_of("airflow-scheduler") != scheduler, 30)

    log = (get_settings().home / "logs" / "airflow-api-server.log").read_text(encoding="utf-8")
    assert (
        str(json.loads((get_settings().home / "airflow" / "passwords.json").read_text())["admin"]) not in log
    )
    services.down()
    assert_nothing_left()


def _of(service: str) -> list[processes.Process]:
    return [each for each in processes.of_instance(supervision.token()) if each.service == service]
