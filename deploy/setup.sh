#!/usr/bin/env bash
# Makes .venv from requirements.lock (hashes checked) and links our own packages into it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Waybill needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1). Set PYTHON=/path/to/python3.11 and run make setup again." >&2
  exit 1
}
echo "Installing into .venv ..."
[ -x .venv/bin/python ] || "$python" -m venv .venv
awk '/^uv==/ {of_uv = 1; print; next} of_uv && /^ +--hash/ {print; next} of_uv {exit}' requirements.lock > .venv/uv.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
packages=()
for folder in libs/* services/* sandbox; do packages+=(-e "$folder"); done
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation "${packages[@]}"
