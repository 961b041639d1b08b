#!/bin/sh
# Installs what serving << s.case >> needs: ./install.sh [FOLDER OF THE VIRTUAL ENVIRONMENT]
# The Dockerfile runs this, too. PYTHON names another Python than python3; wheels that lie in wheels/
# are taken from there, and with PIP_NO_INDEX=1 only those.
set -eu
cd "$(dirname "$0")"
venv=${1:-.venv}

# The wheel is the one that was shipped.
grep '  wheels/' SHA256SUMS | sha256sum --check --quiet --strict -

"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
  --find-links wheels --requirement requirements.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
  --no-deps wheels/<< s.wheel >>
