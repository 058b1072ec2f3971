"""Where the link to a next page leads: to the service itself, or nowhere."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote, unquote_plus, urljoin

import httpx


class StrayLinkError(Exception):
    """A link that is not followed, as our credentials would go with it."""


def resolve(base: httpx.URL, path: str, link: str) -> tuple[str, str]:
    """Return the path below the service's base, and the query, both as the link writes them.

    `path` is that of the list it belongs to; StrayLinkError says why the link is not followed.
    """
    root = base.raw_path.decode("ascii").partition("?")[0].rstrip("/")
    try:
        address = httpx.URL(urljoin(str(base.join(root + path)), link))
    except (ValueError, httpx.InvalidURL) as error:
        raise StrayLinkError("is no address") from error
    if (address.scheme, address.netloc) != (base.scheme, base.netloc):
        raise StrayLinkError("lies on another server")
    raw, _, query = address.raw_path.decode("ascii").partition("?")
    steps, below = _steps(raw), len(_steps(root))
    if steps[:below] != _steps(root) or len(steps) <= below or any(map(_strays, steps)):
        raise StrayLinkError("lies outside of the url of the API")
    return "/" + "/".join(raw.split("/")[below:]), query


def without(query: str, names: Collection[str]) -> str:
    """Return a query without the parameters of these names, the others as they were written."""
    pairs = filter(None, query.split("&"))
    return "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in names)


def _steps(path: str) -> list[str]:
    return [_decoded(step) for step in path.split("/")]


def _decoded(step: str) -> str:
    """Decode until nothing is left to decode: behind a gateway a path may be decoded more than once."""
    while (plain := unquote(step)) != step:
        step = plain
    return step


def _strays(step: str) -> bool:
    """Say whether a server might read a step of a path as leading up, or as more than one step."""
    leads_up = step.partition(";")[0] in (".", "..")
    return leads_up or not step.isprintable() or "/" in step or "\\" in step
