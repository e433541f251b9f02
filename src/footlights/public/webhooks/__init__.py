"""Webhooks. In: something to tell the owner of an endpoint. Out: a signed request, tried until it is taken or given up.

Signed as Standard Webhooks has it (standardwebhooks.com). Owners are `creator:ID` or `app:ID`; who may be one, and what
they are told, is up to whoever calls.
"""

from footlights.public.webhooks.delivery import Courier, Delivered
from footlights.public.webhooks.endpoints import ENDPOINTS_MAX, Added, Endpoint, Webhooks

__all__ = ["ENDPOINTS_MAX", "Added", "Courier", "Delivered", "Endpoint", "Webhooks"]
