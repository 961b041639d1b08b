"""What every test process starts with."""

import os

# Many workers share few cores: threads of OpenMP that spin while they wait would starve the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
