#!/bin/sh
# Serves << s.case >>, version << s.version >>: ./start.sh [OPTIONS OF trackrecord serve]
# The image runs this, too. SIGTERM lets what is in flight be answered, then it ends with 0.
set -eu
cd "$(dirname "$0")"

# The model is the one that was shipped.
grep '  models/' SHA256SUMS | sha256sum --check --quiet --strict -

exec "${SERVE_VENV:-.venv}/bin/trackrecord" serve << s.case >> \
  --host "${SERVE_HOST:-127.0.0.1}" \
  --port "${SERVE_PORT:-<< s.port >>}" \
  --workers "${SERVE_WORKERS:-1}" \
  --drain "${SERVE_DRAIN:-<< s.drain >>}" \
<% if s.capture %>
  --capture \
<% endif %>
  "$@"
