"""Airflow under the supervisor; the only start of it among the tests."""

from __future__ import annotations

import json
import os
import signal
from datetime import date
from pathlib import Path

import httpx
import jwt
from own_services import assert_nothing_left, pid_of, until

from huiliu import (
    airflow_config,
    business_date,
    connections,
    processes,
    provision,
    services,
    supervision,
)
from huiliu.airflow_api import AirflowApi
from huiliu.database import connect
from huiliu.settings import get_settings
from ingestion.spec import load_specs


def test_airflow_comes_up_heals_and_leaves_nothing(own_home: Path) -> None:
    services.up(["postgres"])
    provision.provision()
    with connect("warehouse") as conn:
        business_date.set(conn, date(2026, 1, 15))
    services.up(["airflow"])
    states = {state.name: state.state for state in services.status()}
    assert all(state == "running" for name, state in states.items() if name.startswith("airflow-"))
    with AirflowApi() as api:
        assert api.pools().items() >= {"warehouse": 1, "sources": 2, "front_ends": 3}.items()
        assert api.import_errors() == []
    assert_pages_are_for_those_who_may_see_the_dag()

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


def assert_pages_are_for_those_who_may_see_the_dag() -> None:
    with httpx.Client(base_url=connections.url("airflow"), trust_env=False) as web:
        login = {"username": airflow_config.USER, "password": airflow_config.ensure_password()}
        token = str(web.post("/auth/token", json=login).raise_for_status().json()["access_token"])

        def page(path: str, token: str | None = None) -> httpx.Response:
            return web.get(f"/huiliu/{path}", headers={"Authorization": f"Bearer {token}"} if token else {})

        stranger = _without_a_role(token)
        for path in ("dags/ingest_police", "dags/build_warehouse", "sources"):
            assert page(path).status_code == httpx.codes.UNAUTHORIZED
            refused = page(path, stranger)
            assert refused.status_code == httpx.codes.FORBIDDEN
            assert "police" not in refused.text
        shown = page("dags/ingest_police", token)
        assert shown.status_code == httpx.codes.OK
        assert load_specs()["police"].title in shown.text
        assert shown.headers["cache-control"] == "no-store"
        assert page("sources", token).status_code == httpx.codes.OK


def _without_a_role(token: str) -> str:
    """A login that Airflow itself would give to a user without any role."""
    claims = jwt.decode(token, options={"verify_signature": False})
    algorithm = jwt.get_unverified_header(token)["alg"]
    secret = connections.secret("airflow_jwt_secret")
    return jwt.encode({**claims, "sub": "stranger", "role": None}, secret, algorithm=algorithm)


def _of(service: str) -> list[processes.Process]:
    return [each for each in processes.of_instance(supervision.token()) if each.service == service]
