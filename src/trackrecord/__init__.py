"""trackrecord: turns machine-learning work into a record anyone can check."""

from trackrecord.version import __version__

__all__ = ["__version__"]
