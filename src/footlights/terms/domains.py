"""Domains. The public lists of what a viewer's cell can be. Every cell gets noise; an unlisted value is `unknown`.

The order of a list is part of the board's format: append to it, never reorder.
"""

from __future__ import annotations

UNKNOWN = "unknown"

AGES: tuple[str, ...] = (UNKNOWN, "13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
GENDERS: tuple[str, ...] = (UNKNOWN, "female", "male", "other")
TYPES: tuple[str, ...] = ("not_follower", "follower")
#: Where a view came from; TikTok's names, and YouTube's where TikTok has none.
SOURCES: tuple[str, ...] = (
    UNKNOWN, "for_you", "following", "profile", "search", "hashtag", "sound",
    "message", "suggested", "playlist", "notification", "external", "live",
)  # fmt: skip

#: ISO 3166-1 alpha-2, 249 codes, after "unknown".
COUNTRIES: tuple[str, ...] = (UNKNOWN, *(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
).split())  # fmt: skip

assert len(COUNTRIES) == 250 and len(set(COUNTRIES)) == 250

#: What a viewer may send up to a live session's host. What a platform has beside these is `other`.
REACTIONS: tuple[str, ...] = ("other", "heart", "laugh", "clap", "wow", "sad", "fire")

AGE_INDEX = {name: index for index, name in enumerate(AGES)}
GENDER_INDEX = {name: index for index, name in enumerate(GENDERS)}
COUNTRY_INDEX = {name: index for index, name in enumerate(COUNTRIES)}
SOURCE_INDEX = {name: index for index, name in enumerate(SOURCES)}
REACTION_INDEX = {name: index for index, name in enumerate(REACTIONS)}


def age_bracket(years: int) -> str:
    """The bracket of an age in years; unknown below 13 and above 120."""
    if not 13 <= years <= 120:
        return UNKNOWN
    for bracket in AGES[1:-1]:
        if years <= int(bracket[3:]):
            return bracket
    return AGES[-1]
