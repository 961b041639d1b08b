"""Says, before anything is written, what a publication gives away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from trackrecord.portfolio.claims import Claims
from trackrecord.portfolio.record import CaseRecord

if TYPE_CHECKING:
    from trackrecord.ledger import Entry


def what_is_revealed(
    record: CaseRecord,
    chain: list[Entry],
    claims: Claims,
    rows: dict[str, bytes],
    *,
    drafted: bool,
) -> list[str]:
    """A line for each thing that whoever gets the folder will know. Deterministic."""
    count = len(claims.claim)
    said = (
        "drafted from the evidence, since cases/ has none"
        if drafted
        else f"as in cases/{record.name}/claims.toml"
    )
    lines = [
        "index.html and model-card.md: the case – question, columns, features, criteria, use, "
        "limits – and every result",
        f"claims.toml: {count} claim{'' if count == 1 else 's'}, {said}",
        *(_file(name, data) for name, data in sorted(rows.items())),
        _environment(record),
        _evidence(record),
        _others(record, chain),
    ]
    return [line for line in lines if line]


def _file(name: str, data: bytes) -> str:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(data))
    columns = file.schema_arrow.names
    plain = [c for c in columns if "." not in c]
    scores = [c.removeprefix("score.") for c in columns if c.startswith("score.")]
    slices = [c.removeprefix("slice.") for c in columns if c.startswith("slice.")]
    parts = [", ".join(plain)]
    if scores:
        parts.append(f"scores of {', '.join(scores)}")
    if slices:
        parts.append(f"slices {', '.join(slices)}")
    rest = [c for c in columns if "." in c and c.split(".")[0] not in ("score", "slice")]
    parts += [", ".join(rest)] if rest else []
    rows = file.metadata.num_rows
    return f"{name} ({_size(len(data))}): {rows:,} rows, each with {'; '.join(parts)}"


def _environment(record: CaseRecord) -> str:
    environment = record.evidence_of("run")["environment"].raw
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    git = environment["git"]
    commit = f"git commit {git['commit'][:12]}" if git["commit"] else "no git commit"
    dirty = " with uncommitted changes" if git["dirty"] else ""
    return (
        f"the machine of run {record.evidence_of('run')['run'].raw}: {environment['python']}, "
        f"{environment['platform']}, {environment['cpu']}, {environment['cores']} cores, "
        f"{commit}{dirty}; packages {packages}"
    )


def _evidence(record: CaseRecord) -> str:
    kinds: dict[str, int] = {}
    for entry in record.entries:
        if entry.kind != "merge":
            kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    listed = ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in kinds.items())
    return (
        f"evidence/: all {len(record.statements)} pieces of this case ({listed}), with their times"
    )


def _others(record: CaseRecord, chain: list[Entry]) -> str:
    others = [e for e in chain if e.case is not None and e not in record.entries]
    cases = {e.case for e in others}
    if not others:
        return "evidence/chain.jsonl: the whole chain, which has no other case"
    return (
        f"evidence/chain.jsonl: the whole chain, with {len(others)} "
        f"{'entry' if len(others) == 1 else 'entries'} of {len(cases)} other "
        f"case{'' if len(cases) == 1 else 's'} – kinds, times and digests only; who guesses a "
        "case's name can confirm it"
    )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count, 1000) / 1e3:.0f} kB"
