"""Problems. In: what went wrong. Out: an answer in RFC 9457's shape, or what a page says about it.

Never says more than the asker may know: another creator's id and an id that nobody has read the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from footlights.terms.errors import NotAllowed
from footlights.terms.words import N_


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as RFC 9457 has it. reason: a stable word for machines. detail: what happened and the next step."""

    type: str
    title: str
    status: int
    detail: str
    reason: str


class Refusal(Exception):
    """Raised by web code to answer with a problem. headers: to send along. said: what its detail says, with values."""

    def __init__(
        self, problem: Problem, headers: dict[str, str] | None = None, *, said: NotAllowed | None = None
    ) -> None:
        self.problem = problem
        self.headers = headers or {}
        self.said = said
        super().__init__(problem.title)


def problem(status: int, reason: str, title: str, detail: str) -> Problem:
    """A problem whose type is made of its reason."""
    return Problem(type=f"urn:footlights:problem:{reason}", title=title, status=status, detail=detail, reason=reason)


NOT_FOUND = problem(404, "not_found", N_("Not found"), N_("There is no such creator, video or page in this channel."))
SIGN_IN = problem(
    401, "sign_in", N_("Sign in first"),
    N_(
        "Send a session token as `Authorization: Bearer ...` or as the cookie that /login sets. The operator of the "
        "platform makes a link to sign in with: `footlights creator login-link ID`."
    ),
)  # fmt: skip
NEEDS_PRO = problem(
    403, "needs_pro", N_("The audience is part of the pro tier"),
    N_(
        "Who watched, by age, gender and country, is shown to creators of the pro tier. The operator of the platform "
        "decides who is in it."
    ),
)  # fmt: skip
OWNER_ONLY = problem(
    403, "owner_only", N_("Only the creator can do this"),
    N_("You read this channel by its creator's invitation: you see what they see, and change nothing."),
)  # fmt: skip
NOT_READY = problem(
    503, "not_ready", N_("Nothing has been published yet"),
    N_("The gate has not published its first figures. They appear at the next tick."),
)  # fmt: skip
WATCHED_ENOUGH = problem(
    429, "too_many_watchers", N_("Too many watch already"),
    N_("This live session, or this sign-in, has as many open streams as it may have. Close one, or come back later."),
)  # fmt: skip
BUSY = problem(
    503, "busy", N_("Other files are being read"),
    N_("Yours were not taken, and nothing has changed. Bring them again in a few seconds."),
)  # fmt: skip
TESTING = problem(
    503, "testing", N_("Other webhooks are being tested"),
    N_("Yours was not sent, and nothing has changed. Send the test again in a few seconds."),
)  # fmt: skip
OTHER_SITE = problem(
    403, "other_site", N_("This form came from another site"),
    N_("A form is only taken from the pages of this address. Open the link again and use the button on that page."),
)  # fmt: skip
LINK_SPENT = problem(
    403, "link_spent", N_("This link has been used or is too old"),
    N_("A link works once and for a short time. Ask whoever gave it to you for a new one."),
)  # fmt: skip
BAD_FORM = problem(400, "bad_form", N_("This form is not one of ours"), N_("Go back, reload the page and try again."))
OPERATOR_SIGN_IN = problem(
    401, "operator_sign_in", N_("Sign in as an operator first"),
    N_(
        "The pages under /operator need an operator's session: /operator/login. The first operator is made on the "
        "machine: `footlights operator create NAME`."
    ),
)  # fmt: skip
DEVELOPER_SIGN_IN = problem(
    401, "developer_sign_in", N_("Open your app's page with its link"),
    N_("The operator of the platform makes a link for an app's developer: `footlights app link ID`. It works once."),
)  # fmt: skip
NO_LETTER = problem(
    404, "no_letter", N_("This link was cut, or not made here"),
    N_("Open it again from the newest letter. The operator of the platform can stop the mail, too."),
)  # fmt: skip
FAILED = problem(
    500, "failed", N_("Something broke on our side"),
    N_("It has been logged, without anything about you. Try again."),
)  # fmt: skip


def bad_query(detail: str) -> Refusal:
    """A query parameter has a value that it cannot have."""
    return Refusal(problem(400, "bad_query", N_("A parameter is not as it should be"), detail))


def impossible_query(detail: str) -> Refusal:
    """Each query parameter is as it should be, and what they ask for together cannot be."""
    return Refusal(problem(422, "impossible_query", N_("What is asked for cannot be"), detail))


def not_proved(detail: str) -> Problem:
    """Evidence was asked for, and there is none."""
    return problem(409, "not_proved", N_("This cannot be proved"), detail)


def bad_form(detail: str | NotAllowed) -> Refusal:
    """A field of a form has a value that it cannot have."""
    return _refusal(400, "bad_form", N_("That did not work"), detail)


def refused_token(detail: str | NotAllowed) -> Refusal:
    """A token of the platform was not taken. detail: why, without its content."""
    return _refusal(403, "token_refused", N_("Your platform's token was not accepted"), detail)


def _refusal(status: int, reason: str, title: str, detail: str | NotAllowed) -> Refusal:
    said = detail if isinstance(detail, NotAllowed) else None
    return Refusal(problem(status, reason, title, str(detail)), said=said)


def app_refusal(status: int, code: str, detail: str, headers: dict[str, str]) -> Refusal:
    """An app's request that is not answered. code: of RFC 6750 and 9449."""
    return Refusal(problem(status, code, "This app is not let in", detail), headers)


def http_problem(status: int, title: str, headers: Mapping[str, str]) -> Problem:
    """The problem of an answer that is no route's own: a wrong method, a body that is too large."""
    details = {
        405: f"This address takes {headers.get('allow', 'other methods')}.",
        413: "The body is larger than anything that is sent here.",
        415: "The body is not of a kind that is taken here.",
    }
    return problem(status, f"http_{status}", title, details.get(status, f"{title}."))


def problem_response(what: Problem, headers: dict[str, str] | None = None) -> Response:
    """The JSON answer of a problem."""
    return Response(
        msgspec.json.encode(what),
        status_code=what.status,
        media_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
