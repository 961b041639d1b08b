"""What is shipped: the names, ports and objectives that every written file agrees on."""

from __future__ import annotations

import hashlib
import re
import sys

import msgspec

from trackrecord.errors import BadInput
from trackrecord.modeling.export.bundle import Bundle
from trackrecord.serving.limits import Limits
from trackrecord.serving.metrics import SECONDS

# Kubernetes makes longer names of it, and each of them has at most 63 characters.
LONGEST_NAME = 40
# Below this share, 14.4 times the budget is more than all requests: the fastest alarm is silent.
LEAST_SHARE = 0.95
LEAST_MEMORY, MOST_MEMORY = 192, 1_048_576

# What the distribution of container images calls a reference, without a digest.
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_WORD}(?:\.{_WORD})*(?::[0-9]+)?/)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:{_DOMAIN}{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?\Z", re.ASCII
)
_DNS = re.compile(rf"[a-z](?:[a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9])?\Z")


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a case's model on its way to a service.

    Attributes
    ----------
    name:
        The case's name where only letters, digits and hyphens may be (RFC 1123).
    image:
        The image's name with its tag.
    wheel:
        The file name of trackrecord's own wheel.
    root, folder:
        Where the workspace and the shipped folder are in the repository, ``.`` for its root.
    availability:
        The share of requests that get an answer.
    latency, quick:
        Seconds, and the share of requests that get their answer within them.
    memory:
        MiB that the service may use.
    capture:
        Whether answers are kept for monitoring.
    drain, grace:
        Seconds, as ``serve`` has them.
    """

    case: str
    name: str
    image: str
    version: int
    bundle: Bundle
    wheel: str
    root: str
    folder: str
    intended_use: str | None = None
    limits: list[str] = []
    availability: float = 0.999
    latency: float = 0.25
    quick: float = 0.99
    memory: int = 512
    capture: bool = False
    port: int = 8080
    drain: int = 10
    grace: int = int(Limits().grace)
    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"

    @property
    def patience(self) -> int:
        """Seconds from the wish to stop to the end by force: draining, the grace, and some more."""
        return self.drain + self.grace + 5

    @property
    def untagged(self) -> str:
        """The image's name without its tag."""
        return self.image.rpartition(":")[0]

    @property
    def tag(self) -> str:
        return self.image.rpartition(":")[2]


def dns_name(case: str) -> str:
    """The case's name as a DNS label; with a digest where two cases could get the same one."""
    if _DNS.match(case):
        return case
    plain = re.sub(r"[^a-z0-9]+", "-", case)[: LONGEST_NAME - 7].strip("-")
    return f"{plain}-{hashlib.sha256(case.encode()).hexdigest()[:6]}"


def image_name(given: str | None, name: str, version: int) -> str:
    """An image's name with a tag, by default the version. Raises BadInput for what is no name."""
    wanted = name if given is None else given
    found = _IMAGE.match(wanted)
    if found is None or len(wanted) > 255:
        digest = "@" in wanted
        raise BadInput(
            f"{wanted[:100]!r} cannot be the name of an image",
            where="--image",
            why="an image that is yet to be built has no digest" if digest
            else "a name is lower-case letters and digits, with . _ - and / between them",
            next=f"name it like registry.example.org/team/{name}, or leave --image out",
        )  # fmt: skip
    return wanted if found["tag"] else f"{wanted}:{version}"


def checked(shipment: Shipment) -> Shipment:
    """The shipment itself. Raises BadInput for objectives that no alarm could watch."""
    for option, share in (("availability", shipment.availability), ("quick", shipment.quick)):
        if not LEAST_SHARE <= share < 1:
            raise BadInput(
                f"--slo-{option} {share:g} is not a share from {LEAST_SHARE:g} to below 1",
                why="of less, the fastest alarm (14.4 times the budget) could never sound; and a"
                " budget of 0 is always spent",
                next=f"trackrecord ship {shipment.case} --slo-{option} 0.999",
            )
    if shipment.latency not in SECONDS:
        near = sorted(SECONDS, key=lambda bound: abs(bound - shipment.latency))[:2]
        raise BadInput(
            f"--slo-latency {shipment.latency:g} is not one of the bounds that are counted",
            why=f"counted are {', '.join(f'{bound:g}' for bound in SECONDS)} seconds",
            next=f"trackrecord ship {shipment.case} --slo-latency {min(near):g}",
        )
    if not LEAST_MEMORY <= shipment.memory <= MOST_MEMORY:
        raise BadInput(
            f"--memory {shipment.memory} is not in {LEAST_MEMORY} to {MOST_MEMORY} MiB",
            next=f"trackrecord ship {shipment.case} --memory 512",
        )
    return shipment
