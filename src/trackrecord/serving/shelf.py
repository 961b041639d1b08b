"""Which versions are open, and which of them answers: always what ``aliases.json`` says, if it can.

The file is looked at a few times a second. A version that it newly names is opened and proven
beside the old one, and takes over between two requests. One that cannot be – another file than was
registered, other answers to its probe rows – is refused; the old one goes on, and health, log and
metrics say so.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import msgspec

from trackrecord.errors import BadInput, DataError, TrackrecordError
from trackrecord.modeling.export.bundle import BUNDLE
from trackrecord.serving.batching import Batcher
from trackrecord.serving.hooks import Router
from trackrecord.serving.limits import Limits
from trackrecord.serving.loaded import Loaded, load

ALIASES = "aliases.json"
CHAMPION = "champion"
EVERY = 0.25

logger = logging.getLogger("trackrecord.serving")


class Refusal(msgspec.Struct, frozen=True):
    """A version that an alias names and that is not served."""

    alias: str
    version: int | None
    why: str
    time: float


class Chosen(NamedTuple):
    """Who answers a request, who computes beside it, and the unit that it is about."""

    answer: Batcher
    shadows: tuple[Batcher, ...]
    unit: str


def read_aliases_file(folder: Path) -> dict[str, int]:
    """The aliases of a case's models. Raises BadInput or DataError."""
    path = folder / ALIASES
    case = folder.name
    try:
        said = msgspec.json.decode(path.read_bytes(), type=dict[str, int | None])
    except FileNotFoundError:
        raise BadInput(
            f"the case '{case}' has no registered model",
            where=str(path),
            next=f"trackrecord register {case}",
        ) from None
    except OSError as error:
        raise DataError(f"{ALIASES} cannot be read", where=str(path), why=error.strerror) from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise DataError(
            f"{ALIASES} does not map aliases to versions", where=str(path), why=str(error)[:200]
        ) from None
    aliases = {alias: version for alias, version in said.items() if version is not None}
    if CHAMPION not in aliases:
        raise BadInput(
            f"no version of '{case}' is the {CHAMPION}",
            where=str(path),
            next=f"trackrecord register {case}",
        )
    return aliases


def open_version(folder: Path, version: int, threads: int) -> Loaded:
    """A version of the case whose models are in ``folder``. Raises as ``load`` does.

    Where the workspace has a record, the version must be on it: registered, with this bundle.
    """
    own = folder / str(version)
    loaded = load(own, version, threads=threads)
    if loaded.bundle.case != folder.name:
        raise DataError(
            f"version {version} is a model of another case, '{loaded.bundle.case}'",
            where=str(own),
            next=f"trackrecord register {folder.name}",
        )
    evidence = folder.parent.parent / "evidence"
    if (evidence / "chain.jsonl").exists() and not _registered(evidence, loaded):
        raise DataError(
            f"version {version} of '{folder.name}' is not what was registered",
            where=str(own),
            why=f"no registration on the record has a {BUNDLE} with SHA-256 {loaded.sha256[:16]}…",
            next=f"trackrecord register {folder.name}",
        )
    return loaded


def _registered(evidence: Path, loaded: Loaded) -> bool:
    """Whether the record has a registration with this bundle. Raises LedgerError."""
    from trackrecord.ledger import case_digest, read_chain, read_evidence

    case = case_digest(loaded.bundle.case)
    for entry in reversed(read_chain(evidence)):
        if entry.kind == "registration" and entry.case == case and entry.evidence:
            subjects = read_evidence(evidence, entry.evidence).subject
            if any(subject.digest.get("sha256") == loaded.sha256 for subject in subjects):
                return True
    return False


class Shelf:
    """The open versions of one case. All of it runs on the event loop."""

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        threads: Executor,
        *,
        model_threads: int = 1,
        router: Router | None = None,
        batched: Callable[[int], None] = lambda rows: None,
        changed: Callable[[str], None] = lambda result: None,
    ) -> None:
        self.folder = folder
        self.aliases: dict[str, int] = {}
        self.open: dict[int, Batcher] = {}
        self.refusals: dict[str, Refusal] = {}
        self.router = router
        self._limits = limits
        self._threads = threads
        self._model_threads = model_threads
        self._batched = batched
        self._changed = changed
        self._seen: tuple[int, ...] | None = None
        self._proven = (0.0, 0, "")

    @property
    def champion(self) -> Batcher:
        return self.open[self.aliases[CHAMPION]]

    @property
    def queued(self) -> int:
        return sum(batcher.queued for batcher in self.open.values())

    def start(self) -> None:
        """Open what the aliases name. Raises TrackrecordError where the champion cannot be."""
        self._seen = self._look()
        wanted = read_aliases_file(self.folder)
        for alias, version in sorted(wanted.items(), key=lambda pair: pair[0] != CHAMPION):
            try:
                if version not in self.open:
                    self._put(open_version(self.folder, version, self._model_threads))
                self.aliases[alias] = version
            except TrackrecordError as error:
                if alias == CHAMPION:
                    raise
                self._refuse(alias, version, error)

    def choose(self, unit: str) -> Chosen:
        """The versions for a unit: the champion, or what the router says."""
        if self.router is None:
            return Chosen(self.champion, (), unit)
        try:
            route = self.router(unit, self.aliases)
            shadows = tuple(self.open[version] for version in route.shadows if version in self.open)
            return Chosen(self.open[route.answer], shadows, unit)
        except Exception as error:
            logger.warning("the router failed (%r): the champion answers", error)
            return Chosen(self.champion, (), unit)

    def ready(self) -> str:
        """Why the champion is not ready; empty where it has just answered its probe rows."""
        now = time.monotonic()
        checked, version, why = self._proven
        if version != self.aliases[CHAMPION] or now - checked > 1.0:
            why = ""
            try:
                self.champion.loaded.probe()
            except TrackrecordError as error:
                why = f"{error.what}: {error.why}"
                logger.error("not ready: %s", why)
            self._proven = (now, self.aliases[CHAMPION], why)
        return why

    async def watch(self) -> None:
        """Follow the aliases for ever."""
        while True:
            await asyncio.sleep(EVERY)
            seen = self._look()
            if seen != self._seen:
                self._seen = seen
                await self.follow()

    async def follow(self) -> None:
        """Do what the aliases say now, as far as it can be done."""
        try:
            wanted = read_aliases_file(self.folder)
        except TrackrecordError as error:
            self._refuse(CHAMPION, None, error)
            return
        loop = asyncio.get_running_loop()
        for alias, version in wanted.items():
            if version not in self.open:
                try:
                    self._put(
                        await loop.run_in_executor(
                            None, open_version, self.folder, version, self._model_threads
                        )
                    )
                except TrackrecordError as error:
                    self._refuse(alias, version, error)
                    continue
                except Exception as error:
                    logger.exception("version %d cannot be opened", version)
                    self._refuse(alias, version, DataError(f"{type(error).__name__}: {error}"))
                    continue
            self.refusals.pop(alias, None)
            if (old := self.aliases.get(alias)) != version:
                self.aliases = {**self.aliases, alias: version}
                logger.info("%s: version %d answers now (before: %s)", alias, version, old)
                self._changed("switched")
        gone = [alias for alias in self.aliases if alias not in wanted]
        self.aliases = {a: v for a, v in self.aliases.items() if a not in gone}
        self.refusals = {a: refusal for a, refusal in self.refusals.items() if a in wanted}
        needed = set(self.aliases.values())
        # Requests that a version still works on hold it until they are answered.
        self.open = {v: batcher for v, batcher in self.open.items() if v in needed}

    def _put(self, loaded: Loaded) -> None:
        batcher = Batcher(loaded, self._limits, self._threads, self._batched)
        self.open = {**self.open, loaded.version: batcher}

    def _refuse(self, alias: str, version: int | None, error: TrackrecordError) -> None:
        why = f"{error.what}: {error.why}" if error.why else error.what
        self.refusals[alias] = Refusal(alias, version, why, time.time())
        logger.error("%s: version %s is refused: %s", alias, version, why)
        self._changed("refused")

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self.folder / ALIASES)
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino, found.st_size)
