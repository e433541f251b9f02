"""Calibration. The numbers that make the simulated platform resemble real ones; no I/O.

Each MEASURED number was computed from a real log by `benchmarks/calibrate.py DATA_DIR`, which prints the log's figure,
the number here and the simulator's own figure side by side; docs/internals/simulator.md names the logs, their licences
and what they cannot tell. An ASSUMED number has no log behind it. Only fitted numbers are kept, never rows.
"""

from __future__ import annotations

# ---- MEASURED: popularity ----------------------------------------------------------------------------------------
#: Standard deviation of ln(views) between creators, and between the videos of one creator (TikTok, Vietnam, 2025).
CREATOR_LN_SD = 1.59
VIDEO_LN_SD = 1.29
#: Views of a video for each follower of its creator, median (same).
VIEWS_PER_FOLLOWER = 1.32
#: Length of a video in seconds: ln is normal (same).
DURATION_LN_MEAN, DURATION_LN_SD = 3.98, 0.91
DURATION_SECONDS = (5, 600)

# ---- MEASURED: growth with age -----------------------------------------------------------------------------------
#: Share of a video's views that came by age t: (t / tau)^a / (1 + (t / tau)^a) (YouTube, France, 2026).
GROWTH_POWER = 1.06
GROWTH_DAYS = 1.05
#: Videos differ: ln(tau) is normal around ln(GROWTH_DAYS) (same).
GROWTH_LN_SD = 0.9

# ---- MEASURED: hours ---------------------------------------------------------------------------------------------
#: Harmonics (cosine, sine) of ln(intensity) over the day, local time: a day, half a day, a third.
#: Viewers: active followers by hour (TikTok Studio, 2026). Posts: creation times (TikTok, Vietnam, 2025).
ACTIVE_HARMONICS = ((-0.51, -0.37), (-0.03, -0.25))
POST_HARMONICS = ((-0.45, -1.56), (0.23, -0.71), (-0.16, 0.18))

# ---- MEASURED: one view ------------------------------------------------------------------------------------------
#: Seconds before the viewer swipes on: a shift, then lognormal, whatever the length (TikTok sessions, 2022-23).
DWELL_SHIFT_SECONDS = 1.5
DWELL_LN_MEAN, DWELL_LN_SD = 0.90, 1.15
#: Chance that a viewer stays to the end on purpose: FINISH_CHANCE / (1 + length / FINISH_SECONDS) (same).
FINISH_CHANCE, FINISH_SECONDS = 0.07, 240.0
#: How far videos differ in holding their viewers: sd of ln(average view duration) given length (YouTube Studio).
HOLD_LN_SD = 0.41
#: Views by viewers who had started the same before, as a share of views (Twitch, 2015).
REPLAY_SHARE = 0.065
#: A viewer who reached the end is so many times likelier to like (TikTok sessions, 2022-23).
LIKE_IF_COMPLETED = 5.9

# ---- MEASURED: acts for each view --------------------------------------------------------------------------------
#: ln(rate) of a video: mean and standard deviation (TikTok, Vietnam, 2025).
LIKE_LN = (-3.65, 0.83)
COMMENT_LN = (-7.75, 1.02)
SHARE_LN = (-6.95, 1.33)
SAVE_LN = (-6.14, 1.06)
#: Correlation of each ln(rate) with ln(views), and with the ln(rate) of likes (same).
WITH_VIEWS = {"like": 0.24, "comment": -0.32, "share": -0.03, "save": -0.04}
WITH_LIKES = {"comment": 0.28, "share": 0.34, "save": 0.49}
#: Follows, profile views and unfollows of a creator (TikTok Studio, 2025-26).
FOLLOWS_PER_VIEW = 0.0018
PROFILE_VIEWS_PER_VIEW = 0.0033
UNFOLLOWS_PER_FOLLOW = 0.053

# ---- MEASURED: viewers -------------------------------------------------------------------------------------------
#: Share of viewers by country; the rest is spread over other countries (Twitch, 2015), and the share not known.
COUNTRY_SHARES = {
    "US": 0.354, "RU": 0.057, "TW": 0.056, "DE": 0.055, "CA": 0.053, "GB": 0.043, "SE": 0.023, "TR": 0.021,
    "PL": 0.020, "FR": 0.014, "DK": 0.014, "NL": 0.014, "AU": 0.013, "BR": 0.013, "RO": 0.012, "UA": 0.011,
    "NO": 0.010, "CZ": 0.010, "IT": 0.009, "FI": 0.009, "PT": 0.009, "GR": 0.008, "BE": 0.008, "PE": 0.007,
    "MX": 0.007, "ES": 0.006, "AT": 0.006, "HU": 0.005, "HK": 0.005, "RS": 0.005,
}  # fmt: skip
COUNTRY_UNKNOWN_SHARE = 0.033
#: Followers by gender (TikTok Studio, 2026), before the unknown.
FEMALE_SHARE = 0.59

# ---- ASSUMED -----------------------------------------------------------------------------------------------------
AGE_SHARES = {
    "unknown": 0.05, "13-17": 0.09, "18-24": 0.31, "25-34": 0.29, "35-44": 0.14, "45-54": 0.07, "55-64": 0.04,
    "65+": 0.01,
}  # fmt: skip
GENDER_UNKNOWN_SHARE, GENDER_OTHER_SHARE = 0.04, 0.01
#: What a viewer cares about most, as the platform would know it: the default policy's list.
INTEREST_SHARES = {
    "unknown": 0.10, "music": 0.10, "comedy": 0.10, "games": 0.09, "food": 0.08, "sports": 0.08, "animals": 0.05,
    "beauty": 0.05, "fashion": 0.05, "dance": 0.04, "travel": 0.04, "cars": 0.03, "fitness": 0.03, "home": 0.03,
    "technology": 0.03, "education": 0.02, "family": 0.02, "news": 0.02, "science": 0.02, "art": 0.01, "finance": 0.01,
}  # fmt: skip
#: Standard deviation of ln(how much a viewer watches).
ACTIVITY_LN_SD = 1.0
#: A follower is so many times likelier to be shown a video of the creator.
FOLLOWER_PULL = 4.0
#: Where a view comes from, for those who follow the creator and those who do not. About one comes from the profile for
#: each profile view.
SOURCES_FOLLOWER = {"following": 0.51, "for_you": 0.40, "notification": 0.05, "search": 0.03, "profile": 0.01}
SOURCES_OTHER = {
    "for_you": 0.818, "search": 0.06, "hashtag": 0.05, "sound": 0.03, "suggested": 0.02, "external": 0.01,
    "message": 0.01, "profile": 0.002,
}  # fmt: skip
#: Follows that come from the profile and name no video.
FOLLOWS_WITHOUT_VIDEO = 0.25
UNLIKES_PER_LIKE = 0.02
#: Hours from a viewer's first view of a video to a replay, and days from a follow to an unfollow, in the mean.
REPLAY_HOURS, UNFOLLOW_DAYS = 6.0, 7.0
