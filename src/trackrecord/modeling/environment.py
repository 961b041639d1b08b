"""Where a run was made: what a person needs to know to get the same numbers again.

No host name, user name or path: the record is meant to be published.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.learner import SourceFile

LOCK_FILES = (
    "requirements.lock",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "Pipfile.lock",
    "pixi.lock",
    "conda-lock.yml",
)
PACKAGES = ("trackrecord", "numpy", "scipy", "scikit-learn", "joblib", "polars", "pyarrow")
# The record's own folders change with every command; they do not make the work dirty.
OWN_FOLDERS = ("evidence", "runs", "published")
GIT_SECONDS = 10
_WORK = [f":(exclude){name}" for name in OWN_FOLDERS]


class Threads(msgspec.Struct, frozen=True, kw_only=True):
    """Threads of each library while models were trained; None where it is not loaded."""

    blas: int | None
    openmp: int | None
    polars: int | None


class Git(msgspec.Struct, frozen=True, kw_only=True):
    """The commit the workspace was at, and whether anything but the record itself had changed.

    ``absent`` says why there is none.
    """

    commit: str | None
    dirty: bool | None
    absent: str | None


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Python, platform, packages, locks, git and threads of a run."""

    python: str
    platform: str
    cpu: str
    cores: int
    packages: dict[str, str]
    locks: list[SourceFile]
    git: Git
    threads: Threads


def take_environment(root: Path, threads: Threads, estimators: list[str]) -> Environment:
    """The environment of a run in the workspace ``root``.

    ``estimators`` are the dotted names of the models; their packages' versions are noted.
    """
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(),
        cpu=cpu_model(),
        cores=usable_cores(),
        packages=package_versions(estimators),
        locks=[
            SourceFile(path=name, sha256=file_sha256(root / name))
            for name in LOCK_FILES
            if (root / name).is_file()
        ],
        git=git_state(root),
        threads=threads,
    )


def package_versions(estimators: list[str]) -> dict[str, str]:
    """Installed versions of what trains here, by name."""
    from trackrecord.modeling.estimators import ALLOWED

    roots = {name.partition(".")[0] for name in estimators}
    found = {}
    for name in sorted({*PACKAGES, *(ALLOWED[root] for root in roots if root in ALLOWED)}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # run from a source tree that was never installed
    return found


def thread_counts() -> Threads:
    """How many threads each library uses now."""
    import polars as pl
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    most: dict[str, int] = {}
    for pool in threadpool_info():
        kind = pool["user_api"]
        most[kind] = max(most.get(kind, 0), int(pool["num_threads"]))
    return Threads(
        blas=most.get("blas"), openmp=most.get("openmp"), polars=int(pl.thread_pool_size())
    )


def most_threads(counts: list[Threads]) -> Threads:
    """Of several processes, the most that one of them used."""

    def most(found: list[int | None]) -> int | None:
        return max((count for count in found if count is not None), default=None)

    return Threads(
        blas=most([count.blas for count in counts]),
        openmp=most([count.openmp for count in counts]),
        polars=most([count.polars for count in counts]),
    )


def usable_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        return os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name as its maker says it, or its architecture."""
    if sys.platform == "linux":
        try:
            text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
        except OSError:
            text = ""
        for line in text.splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        said = _output(["sysctl", "-n", "machdep.cpu.brand_string"], Path("/"))
        if said:
            return said.strip()
    return platform.processor() or platform.machine() or "unknown"


def git_state(root: Path) -> Git:
    """The commit and whether files besides evidence, runs and pages differ from it.

    A workspace that lies in a repository without being part of it – ignored there, or not added
    yet – has no commit: the repository's says nothing of the case.
    """

    def none(why: str) -> Git:
        return Git(commit=None, dirty=None, absent=why)

    try:
        inside = _git(root, "rev-parse", "--is-inside-work-tree")
        if inside.returncode != 0:
            # Its own words, when it is there and refuses (for instance over ownership).
            said = inside.stderr.strip().splitlines()
            if said and "not a git repository" not in said[0]:
                return none(f"git refused: {said[0].split(' at ')[0][:120]}")
            return none("not a git repository")
        head = _git(root, "rev-parse", "--verify", "HEAD")
        if head.returncode != 0:
            return none("the repository has no commit yet")
        if not _is_tracked(root):
            return none("not under version control")
        status = _git(root, "status", "--porcelain", "--", ":/", *_WORK)
    except FileNotFoundError:
        return none("git is not installed")
    except subprocess.TimeoutExpired:
        return none(f"git did not answer within {GIT_SECONDS} seconds")
    except OSError as error:
        return none(f"git could not be started: {error.strerror}")
    return Git(commit=head.stdout.strip(), dirty=bool(status.stdout.strip()), absent=None)


def peak_memory_mb(*, children: bool = False) -> float | None:
    """The most memory this process has held since it began, in megabytes (10^6 bytes).

    With ``children``, or the most that one of the processes it has waited for held, if that is
    more. None where the system does not say (Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    whose = [resource.RUSAGE_SELF, *([resource.RUSAGE_CHILDREN] if children else [])]
    peak = max(resource.getrusage(who).ru_maxrss for who in whose)
    # Linux counts in KiB, macOS in bytes.
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


def _is_tracked(root: Path) -> bool:
    """Whether git has any file of the work itself; what is tracked is not ignored, for git."""
    return bool(_git(root, "ls-files", "--", ".", *_WORK).stdout)


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(root), *words],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=GIT_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
        # Reading must not write an index, and the words that are looked for are English.
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "LANGUAGE": "C"},
    )


def _output(words: list[str], folder: Path) -> str:
    try:
        return subprocess.run(
            words, capture_output=True, text=True, timeout=GIT_SECONDS, check=False, cwd=folder
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
