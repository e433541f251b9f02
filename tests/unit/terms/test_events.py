"""Events: their numbers are the journal's format, and they cannot be printed."""

from __future__ import annotations

from footlights.terms.events import CREATOR_KINDS, DISCLOSED_KINDS, Drop, Kind, ViewerEvent


def test_the_numbers_of_kinds_have_not_changed_since_the_first_journal() -> None:
    names = (
        "IMPRESSION PLAY PROGRESS COMPLETION VIEW LIKE UNLIKE COMMENT SHARE SAVE UNSAVE FOLLOW UNFOLLOW FOLLOW_FROM "
        "PROFILE_VIEW TRAITS"
    ).split()
    assert [Kind(number).name for number in range(1, len(names) + 1)] == names


def test_the_numbers_of_drops_have_not_changed_since_the_first_journal() -> None:
    names = (
        "BAD_FIELD UNKNOWN_EVENT NO_VIEWER NO_SUBJECT TOO_LARGE FUTURE_TIME TOO_LATE OPTED_OUT DUPLICATE UNKNOWN_VIDEO "
        "UNKNOWN_CREATOR OWN_EVENT NOT_ALLOWED KEY_COLLISION"
    ).split()
    assert [Drop(number).name for number in range(1, len(names) + 1)] == names


def test_the_disclosed_acts_are_those_that_a_viewer_shows_the_creator() -> None:
    assert {kind.name for kind in DISCLOSED_KINDS} == {
        "LIKE", "UNLIKE", "COMMENT", "FOLLOW", "UNFOLLOW", "LIVE_CHAT", "LIVE_GIFT",
    }  # fmt: skip


def test_which_video_led_to_a_follow_is_private_and_about_the_video() -> None:
    assert Kind.FOLLOW_FROM not in DISCLOSED_KINDS
    assert Kind.FOLLOW_FROM not in CREATOR_KINDS


def test_a_profile_view_is_private_and_about_the_creator() -> None:
    assert Kind.PROFILE_VIEW not in DISCLOSED_KINDS
    assert Kind.PROFILE_VIEW in CREATOR_KINDS


def test_printing_an_event_shows_its_kind_and_nothing_else() -> None:
    event = ViewerEvent(
        kind=Kind.PLAY, viewer="viewer-4711", subject="video-1", at_ms=1, message="message-9", session="session-3"
    )
    for text in (repr(event), str(event), f"{event}", repr([event])):
        assert "play event, withheld" in text
        assert not any(value in text for value in ("4711", "video-1", "message-9", "session-3"))
