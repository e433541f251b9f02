"""The answer of GET /api/v1/privacy under the policy that ships, for tests without a deployment."""

from __future__ import annotations

from typing import Any

import msgspec

from footlights.audit.attacks.promise import Promise
from footlights.gate.promise import watching_rho
from footlights.public.web.privacy import _spends
from footlights.terms.families import UNITS
from footlights.terms.policy import default_policy


def stated() -> dict[str, Any]:
    policy = default_policy()
    spends = [msgspec.to_builtins(spend) for unit in UNITS for spend in _spends(policy, unit)]
    one = {"videos": 1, "everything_rho": str(watching_rho(policy, videos=1))}
    return {"state": "ok", "spends": spends, "many_videos": [one]}


def promised() -> Promise:
    return Promise(stated())
