from __future__ import annotations

import pytest

from footlights.public.insights import Driver, Suggestion
from footlights.public.insights.drivers import gain_figure
from footlights.public.languages import language
from footlights.public.web.telling import Telling

SAID = Telling()
GAIN = gain_figure(1.34, 1.12, 1.6, told=True, at_utc=0)
KINDS = (
    "posting_hour", "weekend", "length", "caption_length", "hashtag_count", "hashtag", "sound", "series",
    "held_3_seconds", "completion", "share_rate",
)  # fmt: skip


def driver(kind: str, *, factor: float = 1.34) -> Driver:
    value = {"posting_hour": "18", "hashtag": "lamps", "sound": "Rain", "series": "Cue to cue"}.get(kind, "")
    gain = gain_figure(factor, factor * 0.9, factor * 1.1, told=True, at_utc=0)
    return Driver(kind=kind, value=value, step=0.12, gain=gain, videos=30, having=None)


def test_a_gain_never_comes_without_its_interval() -> None:
    assert SAID.gain(GAIN) == "+34\u202f% (+12\u202f% to +60\u202f%)"


@pytest.mark.parametrize(
    ("percent", "said"), [(34, "+34\u202f%"), (-20, "\u221220\u202f%"), (0, "0\u202f%"), (320, "\u00d74.2")]
)
def test_what_is_more_than_tripled_is_said_by_how_much_it_is_multiplied(percent: int, said: str) -> None:
    assert SAID.percent(percent) == said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["en", "de"])
def test_every_trait_has_a_name_and_a_thing_to_try_either_way(kind: str, code: str) -> None:
    said = Telling(language(code))
    assert said.trait(driver(kind))
    for factor in (1.34, 0.7):
        one = driver(kind, factor=factor)
        told = said.suggestion(Suggestion(kind="trait", evidence=one.gain, driver=one))
        assert told.title and "%(" not in told.title + told.evidence
        assert told.path == "/studio/insights#drivers"


def test_a_step_of_a_share_is_told_in_points_and_not_in_percent_of_it() -> None:
    assert SAID.trait(driver("share_rate")) == "Another 12 points share it"
    assert Telling(language("de")).trait(driver("share_rate")) == "Weitere 12 Punkte teilen es"


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_says_that_a_trait_causes_anything(kind: str) -> None:
    one = driver(kind)
    told = SAID.suggestion(Suggestion(kind="trait", evidence=one.gain, driver=one))
    assert not {"because", "cause", "causes", "makes"} & set(f"{told.title} {told.evidence}".lower().split())


def test_a_suggestion_links_to_the_picture_of_it() -> None:
    lost = Suggestion(kind="lost", evidence=None, video="a/b", title="Lamps", from_percent=20, to_percent=25, left=0.2)
    assert SAID.suggestion(lost).path == "/studio/videos/a%2Fb/insights#moments"
    at = Suggestion(kind="post_at", evidence=GAIN, hour=24 + 21)
    assert SAID.suggestion(at).title == "Post on Tue 21:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "said"), [(90, "90 seconds"), (600, "10 minutes"), (3 * 3600, "3 hours"), (7 * 86_400, "7 days")]
)
def test_how_long_is_said_roughly(seconds: int, said: str) -> None:
    assert SAID.about(seconds) == said
