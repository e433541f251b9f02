"""Problems. In: what went wrong. Out: an answer in RFC 9457's shape, or what a page says about it.

Never says more than the asker may know: another creator's id and an id that nobody has read the same.
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as RFC 9457 has it. reason: a stable word for machines. detail: what happened and the next step."""

    type: str
    title: str
    status: int
    detail: str
    reason: str


class Refusal(Exception):
    """Raised by web code to answer with a problem. headers: to send along."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        self.problem = problem
        self.headers = headers or {}
        super().__init__(problem.title)


def problem(status: int, reason: str, title: str, detail: str) -> Problem:
    """A problem whose type is made of its reason."""
    return Problem(type=f"urn:footlights:problem:{reason}", title=title, status=status, detail=detail, reason=reason)


NOT_FOUND = problem(404, "not_found", "Not found", "There is no such creator, video or page in this channel.")
SIGN_IN = problem(
    401, "sign_in", "Sign in first",
    "Send a session token as `Authorization: Bearer ...` or as the cookie that /login sets. The operator of the "
    "platform makes a link to sign in with: `footlights creator login-link ID`.",
)  # fmt: skip
NEEDS_PRO = problem(
    403, "needs_pro", "The audience is part of the pro tier",
    "Who watched, by age, gender and country, is shown to creators of the pro tier. The operator of the platform "
    "decides who is in it.",
)  # fmt: skip
OWNER_ONLY = problem(
    403, "owner_only", "Only the creator can do this",
    "You read this channel by its creator's invitation: you see what they see, and change nothing.",
)  # fmt: skip
NOT_READY = problem(
    503, "not_ready", "Nothing has been published yet",
    "The gate has not published its first figures. They appear at the next tick.",
)  # fmt: skip
BUSY = problem(
    503, "busy", "Other files are being read",
    "Yours were not taken, and nothing has changed. Bring them again in a few seconds.",
)  # fmt: skip
OTHER_SITE = problem(
    403, "other_site", "This form came from another site",
    "A form is only taken from the pages of this address. Open the link again and use the button on that page.",
)  # fmt: skip
LINK_SPENT = problem(
    403, "link_spent", "This link has been used or is too old",
    "A link works once and for a short time. Ask whoever gave it to you for a new one.",
)  # fmt: skip
BAD_FORM = problem(400, "bad_form", "This form is not one of ours", "Go back, reload the page and try again.")
OPERATOR_SIGN_IN = problem(
    401, "operator_sign_in", "Sign in as an operator first",
    "The pages under /operator need an operator's session: /operator/login. The first operator is made on the machine: "
    "`footlights operator create NAME`.",
)  # fmt: skip
NO_LETTER = problem(
    404, "no_letter", "This link was cut, or not made here",
    "Open it again from the newest letter. The operator of the platform can stop the mail, too.",
)  # fmt: skip
FAILED = problem(
    500, "failed", "Something broke on our side", "It has been logged, without anything about you. Try again."
)


def bad_query(detail: str) -> Refusal:
    """A query parameter has a value that it cannot have."""
    return Refusal(problem(400, "bad_query", "A parameter is not as it should be", detail))


def bad_form(detail: str) -> Refusal:
    """A field of a form has a value that it cannot have."""
    return Refusal(problem(400, "bad_form", "That did not work", detail))


def refused_token(detail: str) -> Refusal:
    """A token of the platform was not taken. detail: why, without its content."""
    return Refusal(problem(403, "token_refused", "Your platform's token was not accepted", detail))


def problem_response(what: Problem, headers: dict[str, str] | None = None) -> Response:
    """The JSON answer of a problem."""
    return Response(
        msgspec.json.encode(what),
        status_code=what.status,
        media_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
