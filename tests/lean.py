"""The shipped policy without its two largest tables, whose thousands of cells take longer to read than all the rest."""

from __future__ import annotations

from footlights.terms.policy import default_policy, parse_policy

_LARGE = '"interests_ages", "interests_countries",'
assert _LARGE in default_policy().text

POLICY = parse_policy(default_policy().text.replace(_LARGE, ""))
