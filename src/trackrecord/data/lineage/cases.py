"""Cases and what was made of them: runs, evaluations, publications, as nodes."""

from __future__ import annotations

from typing import Any

from trackrecord.cases.reader import read_case
from trackrecord.cases.seal import spec_digest
from trackrecord.cases.spec import Case
from trackrecord.data.lineage.graph import Field, Node, State
from trackrecord.data.lineage.known import Known, Said
from trackrecord.data.lineage.tables import add_file
from trackrecord.errors import TrackrecordError
from trackrecord.workspace import CASE_NAME


def add_cases(known: Known) -> None:
    """Each case with the tables that it reads, and what was made of it."""
    folder = known.root / "cases"
    names = {path.parent.name for path in folder.glob("*/case.toml")}
    recorded = {str(one.predicate.get("case")) for one in known.said("run")}
    for name in sorted(names | recorded):
        if not CASE_NAME.match(name):
            continue
        shown = f"cases/{name}/case.toml"
        if name not in names:
            known.add(
                Node(
                    id=f"case:{name}", kind="case", name=name, file=shown,
                    state="missing", why="its file is gone; the record has it still",
                )
            )  # fmt: skip
            _add_results(known, name, _seal_of(known, name))
            continue
        try:
            case, _ = read_case(folder / name / "case.toml", shown=shown)
        except TrackrecordError as error:
            why = known.problem(error)
            known.add(
                Node(
                    id=f"case:{name}", kind="case", name=name, file=shown, state="damaged", why=why
                )
            )
            _add_results(known, name, None)
            continue
        _add_case(known, name, shown, case)


def _add_case(known: Known, name: str, shown: str, case: Case) -> None:
    paths = list(dict.fromkeys([case.data.path, *(asof.table for asof in case.data.asof)]))
    seal = _seal_of(known, name)
    state: State = "fresh"
    why = ""
    if seal is not None:
        state, why = _since(known, seal, case, paths)
    facts = {"question": case.question, "target": f"{case.target.column} {case.target.positive}"}
    facts["sealed"] = "not yet" if seal is None else f"{seal.entry.time[:10]}, as {seal.entry.kind}"
    for asof in case.data.asof:
        facts[f"as of {asof.table}"] = f"known by {asof.known_by}"
    audit = known.last("audit", "case", name)
    if audit is not None:
        facts["audited"] = audit.entry.time[:10]
    known.add(
        Node(
            id=f"case:{name}",
            kind="case",
            name=name,
            file=shown,
            digest=spec_digest(case),
            made=seal.entry.time if seal else "",
            state=state,
            why=why,
            facts=facts,
            fields=[Field(feature, "feature") for feature in case.features],
        ),
        *(add_file(known, path) for path in paths),
    )
    _add_results(known, name, seal)


def _seal_of(known: Known, name: str) -> Said | None:
    """The last seal or amendment of a case."""
    found = [
        one
        for one in [*known.said("seal"), *known.said("amendment")]
        if isinstance(case := one.predicate.get("case"), dict) and case.get("name") == name
    ]
    return max(found, key=lambda one: one.entry.seq, default=None)


def _since(known: Known, seal: Said, case: Case, paths: list[str]) -> tuple[State, str]:
    """Whether case and data are what was sealed."""
    said: Any = seal.predicate
    if said["case"].get("digest") != spec_digest(case):
        return "stale", "the case says something else than when it was sealed"
    sealed = {item.get("path"): item.get("sha256") for item in said.get("data") or []}
    for path in paths:
        if known.sha256(known.root / path) != sealed.get(path):
            return "stale", f"{path} has changed since the seal"
    return "fresh", ""


def _add_results(known: Known, name: str, seal: Said | None) -> None:
    """The runs that matter: the latest, and those that the latest results are of."""
    runs = [one for one in known.said("run") if one.predicate.get("case") == name]
    evaluations = [one for one in known.said("evaluation") if one.predicate.get("case") == name]
    publications = [one for one in known.said("publication") if one.predicate.get("case") == name]
    latest = {str(one.predicate.get("part")): one for one in evaluations}
    published = publications[-1] if publications else None
    shown = {one.entry.evidence: one for one in latest.values()}
    if published is not None:
        wanted = published.predicate.get("evaluation")
        shown.update(
            {one.entry.evidence: one for one in evaluations if one.entry.evidence == wanted}
        )
    wanted_runs = {one.predicate.get("run") for one in shown.values()}
    if runs:
        wanted_runs.add(runs[-1].entry.evidence)
    for number, one in enumerate(runs):
        if one.entry.evidence in wanted_runs:
            _add_run(known, name, one, seal, earlier=number)
    for one in shown.values():
        _add_evaluation(known, name, one)
    if published is not None:
        _add_publication(known, name, published, latest.get("test"), len(publications))


def _add_run(known: Known, name: str, one: Said, seal: Said | None, *, earlier: int) -> None:
    said = one.predicate
    state: State = "fresh"
    why = ""
    if seal is not None and said.get("seal") != seal.entry.evidence:
        made = "an earlier seal" if said.get("seal") else "no seal"
        state, why = "stale", f"it was made on {made} of the case"
    models = [str(model.get("name")) for model in said.get("models") or []]
    predictions = one.statement.subject[0]
    known.add(
        Node(
            id=f"run:{name}/{said.get('run')}",
            kind="run",
            name=f"run {said.get('run')}",
            file=predictions.name,
            digest=predictions.digest.get("sha256", ""),
            made=one.entry.time,
            state=state,
            why=why,
            rows=sum(int(count) for count in (said.get("rows") or {}).values()),
            facts={
                "case": name,
                "models": ", ".join(models),
                "seed": str(int(said.get("seed") or 0)),
                "earlier runs": str(earlier),
            },
        ),
        f"case:{name}",
    )


def _add_evaluation(known: Known, name: str, one: Said) -> None:
    said = one.predicate
    run = next((r for r in known.said("run") if r.entry.evidence == said.get("run")), None)
    part = str(said.get("part"))
    result: Any = said.get("result") or {}
    verdicts = [str(verdict.get("verdict")) for verdict in result.get("verdicts") or []]
    number = run.predicate.get("run") if run else "?"
    facts = {"case": name, "run": str(number)}
    if part == "test":
        facts["look"] = f"number {said.get('look'):g}"
    for word in dict.fromkeys(verdicts):
        facts[f"criteria {word}"] = str(verdicts.count(word))
    known.add(
        Node(
            id=f"evaluation:{one.entry.evidence}",
            kind="evaluation",
            name=f"{part} {number}",
            file=f"evidence/{one.entry.evidence}.json",
            digest=str(one.entry.evidence),
            made=one.entry.time,
            facts=facts,
        ),
        *([f"run:{name}/{number}"] if run else []),
    )


def _add_publication(known: Known, name: str, one: Said, test: Said | None, number: int) -> None:
    wanted = one.predicate.get("evaluation")
    state: State = "fresh"
    why = ""
    if test is not None and wanted != test.entry.evidence:
        state, why = "stale", "the sealed test was evaluated again since"
    known.add(
        Node(
            id=f"publication:{name}",
            kind="publication",
            name=f"page of {name}",
            file=f"evidence/{one.entry.evidence}.json",
            digest=str(one.entry.evidence),
            made=one.entry.time,
            state=state,
            why=why,
            facts={"case": name, "publications": str(number)},
        ),
        f"evaluation:{wanted}",
    )
