"""The answer of GET /api/v1/privacy under the policy that ships, for tests without a deployment."""

from __future__ import annotations

from typing import Any

from footlights.audit.attacks.promise import Promise
from footlights.terms.policy import default_policy


def stated() -> dict[str, Any]:
    policy = default_policy()
    counters = [
        {"family": "counters", "name": counter.name, "rho": str(counter.rho), "bound": counter.bound, "built": True}
        for counter in policy.counters
    ]
    audience = {
        "family": "audience", "name": "audience", "rho": str(policy.audience_rho), "bound": None, "built": True
    }  # fmt: skip
    later = {"family": "channel", "name": "channel", "rho": "1/50", "bound": None, "built": False}
    return {"state": "ok", "spends": [*counters, audience, later]}


def promised() -> Promise:
    return Promise(stated())
