"""The depot's rows behind a JSON API, in a process of its own, and the least that reading them costs.

`python -m benchmarks.api FOLDER`: serve the pages in a folder; the port is written to standard output.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import psycopg
import uvicorn
from psycopg import sql

from huiliu.errors import HuiliuError

PAGE_SIZE = 5_000
PATH = "/wide"

Message = MutableMapping[str, Any]


def write_pages(folder: Path, source: str, rows: int) -> None:
    """Write every page as the API answers it."""
    folder.mkdir(exist_ok=True)
    page = sql.SQL(
        "select json_agg(w)::text from (select * from wide order by id limit {} offset {}) w"
    ).format
    with psycopg.connect(source) as conn:
        for number in range(-(-rows // PAGE_SIZE)):
            row = conn.execute(page(PAGE_SIZE, number * PAGE_SIZE)).fetchone()
            listed = row[0] if row else "[]"
            text = f'{{"total": {rows}, "rows": {listed}}}'
            (folder / f"{number + 1}.json").write_text(text, encoding="utf-8")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the pages; yield the address."""
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "benchmarks.api", str(folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter
        try:
            if process.stdout is None or not (port := process.stdout.readline().strip()):
                raise HuiliuError("the benchmark's API did not start", fix="run python -m benchmarks.api")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def read_plainly(url: str, target: str, table: sql.Composable) -> None:
    """Read every page and copy its values as they are into a table: nothing is checked, nothing is kept."""
    into = sql.SQL("copy {} from stdin").format(table)
    with httpx.Client() as client, psycopg.connect(target) as conn, conn.cursor().copy(into) as sink:
        number = met = 0
        while True:
            number += 1
            page = client.get(url + PATH, params={"page": number, "page_size": PAGE_SIZE})
            content = json.loads(page.raise_for_status().content)
            sink.write("".join("\t".join(map(str, row.values())) + "\n" for row in content["rows"]))
            met += len(content["rows"])
            if met >= content["total"]:
                return


def _application(folder: Path) -> Callable[..., Awaitable[None]]:
    async def answer(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        del receive
        if scope["type"] != "http":
            return
        (page,) = parse_qs(scope["query_string"].decode())["page"]
        body = (folder / f"{int(page)}.json").read_bytes()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def _main() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        application = _application(Path(sys.argv[1]))
        config = uvicorn.Config(application, log_level="error", lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    _main()
