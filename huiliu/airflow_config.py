"""Airflow's configuration, as environment variables: no airflow.cfg is edited, and nothing phones home.

Metadata in PostgreSQL, LocalExecutor, one administrator with a generated password. The numbers suit two
cores: a no-op task costs about half a second from end to end.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from huiliu import connections
from huiliu.errors import HuiliuError
from huiliu.settings import get_settings

USER = "admin"
POOLS = {
    "warehouse": (1, "数据仓库：闸门、构建、评分、指标依次进行"),
    "sources": (2, "来源系统：同时采集的来源数"),
    "front_ends": (3, "前置库：同时交付的前置库数"),
    "stream": (1, "流式清洗：常驻一个任务"),
}
PARALLELISM = 5  # one of them is the stream's, if it is switched on


def home() -> Path:
    """AIRFLOW_HOME."""
    return get_settings().home / "airflow"


def password_file() -> Path:
    """The file (mode 0600) that holds the administrator's password as JSON {user: password}."""
    return home() / "passwords.json"


def ensure_password() -> str:
    """The administrator's password, generated and stored when there is none yet."""
    path = password_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({USER: connections.secret("airflow_admin_password")}), encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(path)
    return str(json.loads(path.read_text(encoding="utf-8"))[USER])


def _fernet_key() -> str:
    """A Fernet key (32 bytes, URL-safe base64) made from a secret that has other characters."""
    import hashlib

    digest = hashlib.sha256(connections.secret("airflow_fernet_key").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


def environment() -> dict[str, str]:
    """Every AIRFLOW__ setting the services, the migration and the tests of the DAGs need."""
    server, _, rest = connections.dsn("airflow").partition("://")
    if server not in ("postgresql", "postgres"):
        raise HuiliuError(
            "the connection `airflow` is not a PostgreSQL address",
            fix="set HUILIU_DSN_AIRFLOW to postgresql://user:password@host:port/database",
        )
    url = connections.url("airflow")
    settings = get_settings()
    return {
        "AIRFLOW_HOME": str(home()),
        # The DAGs import the project's packages, whether or not it is installed.
        "PYTHONPATH": str(settings.project_root),
        # A task's process ends without Python's clean-up: its log would call dbt's locks leaked, in red.
        "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{rest}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{rest}",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(),
        "AIRFLOW__API__SECRET_KEY": connections.secret("airflow_api_secret_key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": connections.secret("airflow_jwt_secret"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": settings.bind,
        "AIRFLOW__API__PORT": url.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__INSTANCE_NAME": "回流 Huiliu",
        **dags_environment(settings.project_root / "dags"),
        **_PACE,
    }


def dags_environment(dags_folder: Path) -> dict[str, str]:
    """What reading the DAG files needs; no database among it."""
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(dags_folder / "plugins"),
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        # Looking up the machine's full name asks a name server, which a closed network may not have.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "false",
        "AIRFLOW__METRICS__STATSD_ON": "false",
        "DO_NOT_TRACK": "1",
        "SODA_CORE_TELEMETRY_ENABLED": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
    }


_PACE = {
    "AIRFLOW__API__WORKERS": "1",
    # How soon the scheduler looks again when it found nothing to do.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    # A changed file is read at once; an unchanged one seldom.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "2",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
    # After a kill -9, the tasks of the dead scheduler or worker are noticed within a minute, not five.
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "120",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "30",
}


def migrate() -> bool:
    """Create or upgrade Airflow's tables once for each version; True if there was work.

    Raises HuiliuError with the end of the log.
    """
    from importlib.metadata import version

    marker = home() / "migrated"
    wanted = f"{version('apache-airflow')} {connections.dsn('airflow').rpartition('@')[2]}"
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return False
    home().mkdir(parents=True, exist_ok=True)
    log = get_settings().home / "logs" / "airflow-migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env={**os.environ, **environment()},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise HuiliuError(f"Airflow's database could not be prepared:\n{tail}", fix=f"see {log}")
    marker.write_text(wanted, encoding="utf-8")
    return True
