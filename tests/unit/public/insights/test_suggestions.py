from __future__ import annotations

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.suggestions import COUNT_MAX


def test_at_most_three_are_made_and_each_has_evidence_that_is_beyond_noise(planted: Board) -> None:
    found = insights.suggestions(planted, planted.creator("ada")).suggestions
    assert 1 <= len(found) <= COUNT_MAX
    for each in found:
        assert each.kind == "lost" or (each.evidence is not None and each.evidence.state == "ok")


def test_no_two_say_the_same_choice(planted: Board) -> None:
    found = insights.suggestions(planted, planted.creator("ada")).suggestions
    choices = [each.driver.kind if each.driver else each.kind for each in found]
    assert len(set(choices)) == len(choices)
    assert not {"post_at", "posting_hour"} <= set(choices)


def test_a_channel_in_which_nothing_stands_out_is_not_told_what_to_choose(planted: Board) -> None:
    found = insights.suggestions(planted, planted.creator("bob")).suggestions
    assert not [each for each in found if each.kind in ("trait", "post_at", "hold")]


def test_an_empty_channel_has_none(board: Board) -> None:
    assert insights.suggestions(board, board.creator("empty")).suggestions == ()
