"""Start, stop and show the services of one HUILIU_HOME: PostgreSQL, the simulated sources' APIs, Airflow.

supervisord keeps them running. Everything listens on loopback; each program's output is in $HUILIU_HOME/logs.
"""

from __future__ import annotations

import logging
import time
import xmlrpc.client
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from supervisor.xmlrpc import Faults

from huiliu import airflow_config, embedded_postgres, ports, processes, provision, supervision
from huiliu.airflow_api import AirflowApi
from huiliu.errors import HuiliuError
from huiliu.programs import (
    AIRFLOW,
    POSTGRES,
    SOURCE_API,
    Program,
    embedded_postgres_is_used,
    log_file,
    log_tail,
    programs,
    select,
)
from huiliu.secret_store import home_lock

log = logging.getLogger(__name__)
Report = Callable[[str], None]

HEALTH_SECONDS = 240.0
# A program that had to be started this often while we waited for it will not come up by itself.
MANY_STARTS = 4
_NOT_RUNNING = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
# Who must listen on which port for a service to be ours; Airflow's parts are asked through its API server.
_LISTENER = {SOURCE_API: (SOURCE_API, "source_api")} | dict.fromkeys(AIRFLOW, (AIRFLOW[0], "airflow"))


@dataclass(frozen=True)
class ServiceState:
    """One service: state is running, starting, stopped or failed; address is empty if it has none."""

    name: str
    state: str
    address: str
    log: str
    pid: int | None


def up(only: Sequence[str] | None = None, *, report: Report | None = None) -> None:
    """Start the services and wait until each answers; those that run stay as they are.

    Without `only`: everything; once PostgreSQL answers, the databases and Airflow's tables are prepared.
    Raises HuiliuError naming the service that does not come up, with the end of its log.
    """
    say = report or log.info
    names = select(list(only) if only is not None else None)
    if not names:
        return
    with home_lock("services"):
        supervisor, stopped = _supervisor(say)
        names = [name for name in programs() if name in {*names, *stopped}]
        if POSTGRES in names:
            _start(supervisor, [POSTGRES], say)
        if only is None:
            say("preparing the databases")
            provision.provision()
        if set(names) & set(AIRFLOW):
            airflow_config.ensure_password()
            if airflow_config.migrate():
                say("Airflow's tables are ready")
        _start(supervisor, [name for name in names if name != POSTGRES], say)
        if "airflow-api-server" in names:
            _make_pools()


def down(*, report: Report | None = None) -> None:
    """Stop every service of this home, also those whose supervisor was killed; leaves no process and no port.

    Raises HuiliuError if a process of this home survives being killed.
    """
    say = report or log.info
    with home_lock("services"):
        ours = _marked()
        supervisor = supervision.running()
        if supervisor is not None:
            _stop_programs(supervisor, say)
        left = _end_all()
        processes.wait_reaped(ours, 5)
        if left:
            numbers = ", ".join(str(process.pid) for process in left)
            raise HuiliuError(f"processes {numbers} do not end", fix="end them by hand, then run again")
        for leftover in ("supervisord.json", "supervisord.conf", "supervisord.pid", "environment.json"):
            (supervision.run_folder() / leftover).unlink(missing_ok=True)


def status() -> list[ServiceState]:
    """State of every service, also when none was ever started."""
    supervisor = supervision.running()
    known = supervisor.states() if supervisor is not None else {}
    return [_state(program, known.get(program.name)) for program in programs().values()]


def _state(program: Program, info: dict[str, object] | None) -> ServiceState:
    name = str(info["statename"]) if info is not None else "STOPPED"
    state = {"RUNNING": "running", "STARTING": "starting", "STOPPING": "stopping"}.get(name, "stopped")
    if name in ("BACKOFF", "FATAL"):
        state = "failed"
    pid = int(str(info["pid"])) or None if info is not None else None
    address = program.address() if state == "running" else ""
    return ServiceState(program.name, state, address, str(log_file(program.name)), pid)


def _supervisor(say: Report) -> tuple[supervision.Supervisor, list[str]]:
    """The running supervisor, or a new one after ending what a killed one left behind.

    Also the services stopped because a setting changed since they started, which are to start again.
    """
    changed = supervision.write_environment()
    supervisor = supervision.running()
    if supervisor is None:
        _end_all()
        return supervision.start(), []
    others: list[str] = []
    if changed:
        others = [name for name, info in supervisor.states().items() if name != POSTGRES and info["pid"]]
        if others:
            say("settings changed: restarting " + ", ".join(others))
            _stop(supervisor, others)
    return supervisor, others


def _start(supervisor: supervision.Supervisor, names: list[str], say: Report) -> None:
    """Start those that do not run, all at once, and wait until each is healthy."""
    states = supervisor.states()
    _stop(supervisor, [name for name in names if states[name]["statename"] == "STOPPING"])
    for name in names:
        if states[name]["statename"] in (*_NOT_RUNNING, "STOPPING"):
            if name == POSTGRES:
                embedded_postgres.stop()  # one that was started without the supervisor
            elif _LISTENER[name][0] == name:
                ports.claim(_LISTENER[name][1])
            supervisor.rpc.startProcess(name, False)
    known, waiting = programs(), list(names)
    begun, starts = time.monotonic(), {name: set[int]() for name in names}
    while waiting:
        states = supervisor.states()
        owned = {name: _holds_its_port(name, states) for name in waiting}
        with ThreadPoolExecutor(len(waiting)) as pool:
            # Only what is ours is asked: whoever else has the port must not see our password.
            ours = [name for name in waiting if owned[name]]
            healthy = dict(zip(ours, pool.map(lambda name: known[name].healthy(), ours), strict=True))
        for name in list(waiting):
            starts[name].add(states[name]["pid"])
            if healthy.get(name) and states[name]["statename"] in ("STARTING", "RUNNING"):
                say(f"{name} is ready after {time.monotonic() - begun:.1f} s")
                waiting.remove(name)
        _fail_if_hopeless(waiting, states, starts, time.monotonic() - begun)
        _leave_lost_ports(supervisor, [name for name in waiting if not owned[name]], say)
        time.sleep(0.3 if waiting else 0)


def _holds_its_port(name: str, states: dict[str, dict[str, object]]) -> bool:
    if name == POSTGRES:
        return True  # chooses its port as it starts, and knows only passwords of this home
    listener, service = _LISTENER[name]
    return processes.listens(int(str(states[listener]["pid"])), ports.port(service))


def _leave_lost_ports(supervisor: supervision.Supervisor, names: list[str], say: Report) -> None:
    """Give services another port if a stranger took theirs between the choice and their own start."""
    for service in sorted({_LISTENER[name][1] for name in names}):
        if ports.is_free(ports.port(service)) or _one_of_ours_listens(ports.port(service)):
            continue
        # All parts of Airflow are told the port when they start.
        states = supervisor.states()
        told = [name for name, (_, its) in _LISTENER.items() if its == service]
        running = [name for name in told if states[name]["statename"] not in _NOT_RUNNING]
        say(f"port {ports.port(service)} was taken meanwhile: starting {', '.join(running)} on another")
        _stop(supervisor, running)
        ports.claim(service)
        for name in running:
            supervisor.rpc.startProcess(name, False)


def _one_of_ours_listens(port: int) -> bool:
    return any(processes.listens(each.pid, port) for each in _marked())


def _fail_if_hopeless(
    waiting: list[str], states: dict[str, dict[str, object]], starts: dict[str, set[int]], seconds: float
) -> None:
    for name in waiting:
        again = len(starts[name] - {0}) >= MANY_STARTS
        if states[name]["statename"] == "FATAL" or again or seconds > HEALTH_SECONDS:
            why = f"is not ready after {seconds:.0f} s" if not again else "ends again and again"
            raise HuiliuError(
                f"service {name} {why}; the end of its log:\n{log_tail(name)}",
                fix=f"read {log_file(name)}, mend the cause, then run `huiliu up` again",
            )


def _stop(supervisor: supervision.Supervisor, names: Sequence[str]) -> None:
    """Ask all at once to stop and wait; supervisord kills each after its own deadline."""
    for name, info in supervisor.states().items():
        if name in names and info["statename"] in ("STARTING", "RUNNING", "BACKOFF"):
            _ask_to_stop(supervisor, name)
    until = time.monotonic() + embedded_postgres.STOP_SECONDS + 30
    while time.monotonic() < until:
        states = supervisor.states()
        if all(states[name]["statename"] in _NOT_RUNNING for name in names):
            return
        time.sleep(0.2)


def _ask_to_stop(supervisor: supervision.Supervisor, name: str) -> None:
    try:
        supervisor.rpc.stopProcess(name, False)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != Faults.NOT_RUNNING:  # it ended by itself just now
            raise


def _marked() -> list[processes.Process]:
    return processes.of_instance(supervision.token())


def _end_all() -> list[processes.Process]:
    """End whatever a killed supervisor left: first what would start others again, PostgreSQL last."""
    processes.end([each for each in _marked() if each.service is None])
    processes.end([each for each in _marked() if each.service != POSTGRES])
    if embedded_postgres_is_used():
        embedded_postgres.stop()
    return processes.end(_marked())


def _stop_programs(supervisor: supervision.Supervisor, say: Report) -> None:
    others = [name for name in supervisor.states() if name != POSTGRES]
    say("stopping " + ", ".join(reversed(others)))
    _stop(supervisor, others)
    # Tasks that outlived their scheduler's deadline still write: they end before their database does.
    processes.end([each for each in _marked() if each.service in others], deadline=5)
    if POSTGRES in supervisor.states():
        say("stopping postgres")
        _stop(supervisor, [POSTGRES])
    supervisor.rpc.shutdown()
    processes.wait_gone([supervisor.process], 30)


def _make_pools() -> None:
    with AirflowApi() as api:
        for name, (slots, description) in airflow_config.POOLS.items():
            api.ensure_pool(name, slots, description)
