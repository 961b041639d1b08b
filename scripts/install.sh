#!/usr/bin/env bash
# Installs what the lock file names, and trackrecord itself, into a virtual environment.
set -euo pipefail
python=$1
venv=$2

"$python" - <<'PY'
import sys
if sys.version_info < (3, 11):
    sys.exit(f"trackrecord needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
             "next: make PYTHON=python3.12 …")
PY

if command -v uv >/dev/null 2>&1; then
  [ -x "$venv/bin/python" ] || uv venv --quiet --python "$python" "$venv"
  uv pip sync --quiet --python "$venv/bin/python" --require-hashes requirements.lock
  uv pip install --quiet --python "$venv/bin/python" --no-deps --editable .
else
  if [ ! -x "$venv/bin/pip" ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || {
      echo "this Python cannot make virtual environments." >&2
      echo "next: apt-get install python3-venv (or install uv)" >&2
      exit 2
    }
    "$python" -m venv "$venv"
  fi
  echo "installing into $venv (a minute or two; once)"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements.lock 2> >(grep -v '^WARNING: Location' >&2 || true)
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --editable . 2> >(grep -v '^WARNING: Location' >&2 || true)
fi
