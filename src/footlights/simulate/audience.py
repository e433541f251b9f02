"""Audience. In: a seed. Out: the platform's viewers as columns, and how likely each is to be shown each creator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footlights.simulate import calibration as fit
from footlights.simulate.catalogue import Persona
from footlights.simulate.draws import Draws, Floats
from footlights.terms import domains
from footlights.terms.policy import default_policy

#: Hours ahead of UTC, roughly and without summer time: enough to know when a country sleeps.
UTC_OFFSETS = {
    "US": -6, "CA": -5, "MX": -6, "PE": -5, "BR": -3, "CL": -3, "GB": 0, "IE": 0, "PT": 0, "RU": 3, "TR": 3, "BY": 3,
    "RO": 2, "UA": 2, "FI": 2, "GR": 2, "BG": 2, "LT": 2, "IL": 2, "KZ": 5, "TW": 8, "HK": 8, "MY": 8, "PH": 8,
    "ID": 7, "JP": 9, "AU": 10, "NZ": 12,
}  # fmt: skip
#: What a country has that is not in the table: central Europe's.
UTC_OFFSET_ELSE = 1
#: Countries that share what is left after the calibrated ones.
OTHER_COUNTRIES = ("BY", "BG", "IE", "HR", "KZ", "CH", "MY", "NZ", "PH", "ID", "SK", "IL", "CL", "LT", "JP")

#: What a viewer may care about: the default policy's list, after `unknown`.
INTERESTS = default_policy().axes["interest"]
_INTEREST_INDEX = {name: index for index, name in enumerate(INTERESTS)}


@dataclass(frozen=True)
class Audience:
    """One row a viewer. country, age, gender, interest: index into the domain. activity: how much the viewer watches.

    A viewer has one interest at most, as the default policy counts them.
    """

    country: NDArray[np.uint16]
    age: NDArray[np.uint8]
    gender: NDArray[np.uint8]
    interest: NDArray[np.uint8]
    utc_offset_hours: NDArray[np.int8]
    activity: Floats

    def __len__(self) -> int:
        return len(self.activity)

    def taste_for(self, persona: Persona) -> Floats:
        """How likely each viewer is to be shown this creator, but for whether they follow."""
        weights = self.activity.copy()
        for trait, times in persona.taste.items():
            weights[self._has(trait)] *= times
        return weights

    def _has(self, trait: str) -> NDArray[np.bool_]:
        has: NDArray[np.bool_]
        if trait in domains.AGE_INDEX:
            has = self.age == domains.AGE_INDEX[trait]
        elif trait in domains.GENDER_INDEX:
            has = self.gender == domains.GENDER_INDEX[trait]
        elif trait in _INTEREST_INDEX:
            has = self.interest == _INTEREST_INDEX[trait]
        else:
            has = self.country == domains.COUNTRY_INDEX[trait]
        return has


def make_audience(seed: bytes, viewers: int) -> Audience:
    """The viewers of a platform. Traits are drawn independently of each other."""
    draws = Draws(seed, "audience")
    country = _countries(draws, viewers)
    offsets = np.array([UTC_OFFSETS.get(name, UTC_OFFSET_ELSE) for name in domains.COUNTRIES], dtype=np.int8)
    return Audience(
        country=country,
        age=_named(draws, fit.AGE_SHARES, domains.AGE_INDEX, viewers),
        gender=_named(draws, _gender_shares(), domains.GENDER_INDEX, viewers),
        interest=_named(Draws(seed, "interests"), fit.INTEREST_SHARES, _INTEREST_INDEX, viewers),
        utc_offset_hours=offsets[country],
        activity=np.exp(fit.ACTIVITY_LN_SD * draws.normal(viewers)),
    )


def _countries(draws: Draws, viewers: int) -> NDArray[np.uint16]:
    rest = 1 - sum(fit.COUNTRY_SHARES.values()) - fit.COUNTRY_UNKNOWN_SHARE
    shares = {
        domains.UNKNOWN: fit.COUNTRY_UNKNOWN_SHARE,
        **fit.COUNTRY_SHARES,
        **dict.fromkeys(OTHER_COUNTRIES, rest / len(OTHER_COUNTRIES)),
    }
    return _named(draws, shares, domains.COUNTRY_INDEX, viewers).astype(np.uint16)


def _gender_shares() -> dict[str, float]:
    known = 1 - fit.GENDER_UNKNOWN_SHARE - fit.GENDER_OTHER_SHARE
    return {
        domains.UNKNOWN: fit.GENDER_UNKNOWN_SHARE,
        "female": known * fit.FEMALE_SHARE,
        "male": known * (1 - fit.FEMALE_SHARE),
        "other": fit.GENDER_OTHER_SHARE,
    }


def _named(draws: Draws, shares: dict[str, float], index: dict[str, int], count: int) -> NDArray[np.uint8]:
    codes = np.array([index[name] for name in shares], dtype=np.uint8)
    return codes[draws.pick(np.array(list(shares.values())), count)]
