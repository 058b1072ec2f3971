"""A client of Airflow's REST API: enough to start the flow, watch it and say why something failed.

Over REST because each `airflow …` command costs about three seconds of processor time for its imports alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from huiliu import airflow_config, connections
from huiliu.errors import ConfigError, TransientError

PAGE = 100
Params = dict[str, Any]
UNFINISHED = ("queued", "running")
_PASSING = (httpx.codes.TOO_MANY_REQUESTS, *range(500, 600))


class AirflowApi:
    """An authorised session; logs in at the first request and again when its token ran out.

    Requests that meet a passing fault (no answer, 5xx: a service that restarts) are repeated for a minute,
    then raise TransientError.
    """

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=connections.url("airflow"), timeout=30, trust_env=False)
        self._token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool, or give the one there is these slots."""
        body = {
            "name": name,
            "pool": name,
            "slots": slots,
            "description": description,
            "include_deferred": False,
        }
        known = self._request("GET", f"/pools/{name}", missing_ok=True)
        if known is None:
            body.pop("pool")
            self._request("POST", "/pools", json=body)
        elif known["slots"] != slots:
            body.pop("name")
            self._request("PATCH", f"/pools/{name}", json=body)

    def pools(self) -> dict[str, int]:
        """Slots of every pool, by name."""
        return {pool["name"]: pool["slots"] for pool in self._pages("/pools", "pools")}

    def dag_ids(self) -> list[str]:
        """Every DAG that Airflow has read."""
        return [dag["dag_id"] for dag in self._pages("/dags", "dags", exclude_stale=True)]

    def import_errors(self) -> list[str]:
        """One text for each DAG file that could not be read."""
        return [f"{e['filename']}: {e['stack_trace']}" for e in self._pages("/importErrors", "import_errors")]

    def unpause(self, dag_id: str) -> None:
        """Let the DAG be scheduled."""
        self._request("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any] | None = None) -> None:
        """Start a run of this name with these params; a run that is there already is left alone."""
        self._request(
            "POST",
            f"/dags/{dag_id}/dagRuns",
            json={"dag_run_id": run_id, "logical_date": None, "conf": conf or {}},
            conflict_ok=True,
        )

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run as it is now."""
        answer = self._request("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return answer or {}

    def runs(self, *, since: str) -> list[dict[str, Any]]:
        """Runs of every DAG that were due at or after `since` (ISO date and time), oldest first."""
        return list(self._pages("/dags/~/dagRuns", "dag_runs", run_after_gte=since, order_by="run_after"))

    def unfinished_runs(self) -> list[dict[str, Any]]:
        """Runs of any DAG that are queued or running."""
        return list(self._pages("/dags/~/dagRuns", "dag_runs", state=list(UNFINISHED)))

    def task_instances(
        self, *, state: list[str], dag_id: str = "~", run_id: str = "~"
    ) -> list[dict[str, Any]]:
        """Task instances in one of the states."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        return list(self._pages(path, "task_instances", state=state))

    def has_queued_events(self, dag_id: str) -> bool:
        """Whether asset events wait to start a run of the DAG."""
        answer = self._request("GET", f"/dags/{dag_id}/assets/queuedEvents", missing_ok=True)
        return bool(answer and answer["total_entries"])

    def log_tail(self, task: dict[str, Any], lines: int = 12) -> str:
        """The last lines a task instance logged."""
        path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/logs"
        answer = self._request(
            "GET",
            f"{path}/{max(task['try_number'], 1)}",
            params={"map_index": task["map_index"]},
            missing_ok=True,
        )
        events = [_log_line(entry) for entry in (answer or {"content": []})["content"]]
        told = [event for event in events if not event.startswith(("::", "Retry policy decision"))]
        return "\n".join(told[-lines:])

    def _pages(self, path: str, key: str, **params: object) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._request("GET", path, params={**params, "limit": PAGE, "offset": offset}) or {key: []}
            yield from page[key]
            offset += len(page[key])
            if len(page[key]) < PAGE:
                return

    @retry(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_delay(60),
        wait=wait_fixed(1),
        reraise=True,
    )
    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Params | None = None,
        missing_ok: bool = False,
        conflict_ok: bool = False,
    ) -> dict[str, Any] | None:
        try:
            answer = self._send(method, path, params, json)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._token = None
                answer = self._send(method, path, params, json)
        except httpx.TransportError as error:
            raise TransientError(f"Airflow does not answer: {error!r}", fix="see `huiliu status`") from error
        if answer.status_code in _PASSING:
            raise TransientError(f"Airflow answers {answer.status_code} to {path}", fix="see `huiliu status`")
        if (missing_ok and answer.status_code == httpx.codes.NOT_FOUND) or (
            conflict_ok and answer.status_code == httpx.codes.CONFLICT
        ):
            return None
        if answer.is_error:
            raise ConfigError(
                f"Airflow refuses {method} {path} with {answer.status_code}: {answer.text[:300]}",
                fix="see the log airflow-api-server.log",
            )
        document: dict[str, Any] = answer.json()
        return document

    def _send(self, method: str, path: str, params: Params | None, json: Params | None) -> httpx.Response:
        if self._token is None:
            body = {"username": airflow_config.USER, "password": airflow_config.ensure_password()}
            answer = self._http.post("/auth/token", json=body)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                raise ConfigError(
                    "Airflow refuses the administrator's password",
                    fix=f"the password is in {airflow_config.password_file()}; restart with `huiliu down`",
                )
            answer.raise_for_status()
            self._token = str(answer.json()["access_token"])
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.request(method, f"/api/v2{path}", headers=headers, params=params, json=json)


def _log_line(entry: dict[str, Any]) -> str:
    """One log entry as text; the message of an exception, not its frames."""
    causes = entry.get("error_detail") or []
    reasons = [f"{cause.get('exc_type')}: {cause.get('exc_value')}" for cause in causes]
    return " ".join([str(entry.get("event", "")), *reasons])
