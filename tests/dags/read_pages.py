"""Run by the tests in a process of its own: what the operators' pages answer, written out as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(sys.argv[1]) / "plugins"))
import source_pages

client = TestClient(source_pages.app)
routes = [route.path for route in source_pages.app.routes if isinstance(route, APIRoute)]
everything = [route.path for route in source_pages.app.routes]  # type: ignore[attr-defined]  # every kind of route has a path
answers = {path: client.get(path.replace("{dag_id}", "ingest_police")) for path in routes}
sys.stdout.write(
    json.dumps(
        {
            "routes": routes,
            "everything": everything,
            "without_login": {path: answer.status_code for path, answer in answers.items()},
            "bodies": {path: answer.text for path, answer in answers.items()},
            "headers": dict(source_pages.page_of_sources().headers),
            "pages": {
                dag_id: bytes(source_pages.page_of_dag(dag_id).body).decode()
                for dag_id in ("ingest_police", "build_warehouse")
            },
        }
    )
)
