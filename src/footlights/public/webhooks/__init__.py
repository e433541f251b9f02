"""Webhooks. In: something to tell the owner of an endpoint. Out: a signed request, tried until it is taken or given up.

Signed as Standard Webhooks has it (standardwebhooks.com). Owners are `creator:ID` or `app:ID`; who may be one, and what
they are told, is up to whoever calls.
"""

from footlights.public.webhooks.delivery import Courier, Delivered
from footlights.public.webhooks.endpoints import ENDPOINTS_MAX, OVERLAP_HOURS, Added, Endpoint, Message, Webhooks

__all__ = [
    "ENDPOINTS_MAX", "OVERLAP_HOURS", "Added", "Courier", "Delivered", "Endpoint", "Message", "Webhooks",
]  # fmt: skip
