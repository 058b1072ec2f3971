#!/bin/sh
# Make .venv hold exactly what a lock file names, from a package index alone. Does nothing when it already does.
#   scripts/setup.sh [requirements.lock | requirements-dev.lock]
set -eu
cd "$(dirname "$0")/.."
lock=${1:-requirements.lock}
python=${PYTHON:-python3}
stamp=.venv/.installed

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || {
    echo "Huiliu needs Python 3.11 or 3.12; '$python' is $("$python" --version). Name another one: make PYTHON=/path/to/python3" >&2
    exit 2
}
wanted=$(cat "$lock" requirements-bootstrap.lock pyproject.toml scripts/setup.sh | cksum)" $lock $(pwd)"
# The development lock holds all of the other one, so it also serves where only the smaller is asked for.
both=$(cat requirements-dev.lock requirements-bootstrap.lock pyproject.toml scripts/setup.sh | cksum)" requirements-dev.lock $(pwd)"
if [ -f "$stamp" ]; then
    have=$(cat "$stamp")
    [ "$have" = "$wanted" ] || [ "$have" = "$both" ] && exit 0
fi

# Closed networks have certificates and an index of their own: pip is told of the first, uv of the second.
if [ -n "${SSL_CERT_FILE:-}" ]; then export PIP_CERT="${PIP_CERT:-$SSL_CERT_FILE}"; fi
echo "setting up .venv from $lock …"
# A set-up that was killed may have left an environment without pip: that one is made anew.
.venv/bin/python -m pip --version > /dev/null 2>&1 || "$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"; fi
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes "$lock" requirements-bootstrap.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
printf '%s' "$wanted" > "$stamp"
