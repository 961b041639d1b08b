"""Which struct each kind of evidence decodes into. Loaded one by one: a check needs no trainer."""

from __future__ import annotations

from importlib import import_module

import msgspec

PREDICATES: dict[str, tuple[str, str]] = {
    "seal": ("trackrecord.cases.seal", "SealPredicate"),
    "amendment": ("trackrecord.cases.seal", "AmendmentPredicate"),
    "run": ("trackrecord.modeling.run", "RunPredicate"),
    "look": ("trackrecord.evaluation.case", "LookPredicate"),
    "evaluation": ("trackrecord.evaluation.case", "EvaluationPredicate"),
    "contrast": ("trackrecord.evaluation.contrast", "ContrastPredicate"),
    "contract": ("trackrecord.data.contract.record", "ContractPredicate"),
    "build": ("trackrecord.data.build.record", "BuildPredicate"),
    "audit": ("trackrecord.data.leakage.of_case", "AuditPredicate"),
    "features": ("trackrecord.data.features.record", "FeaturesPredicate"),
    "ingest": ("trackrecord.data.ingest.record", "IngestPredicate"),
    "registration": ("trackrecord.modeling.registry", "RegistrationPredicate"),
    "alias": ("trackrecord.modeling.registry", "AliasPredicate"),
    "rollout": ("trackrecord.serving.rollout.steps", "RolloutPredicate"),
    "monitoring": ("trackrecord.serving.monitoring.look", "MonitoringPredicate"),
    "drill": ("trackrecord.serving.drills.result", "DrillPredicate"),
    "publication": ("trackrecord.portfolio.publish", "PublicationPredicate"),
}


def predicate_struct(kind: str) -> type[msgspec.Struct]:
    """The struct of one kind. Raises KeyError for a kind that has none."""
    module, name = PREDICATES[kind]
    found: type[msgspec.Struct] = getattr(import_module(module), name)
    return found
