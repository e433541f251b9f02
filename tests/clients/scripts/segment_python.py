"""Tells a story with segment-analytics-python. In: {address, key, packed, calls} on standard input."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from segment.analytics.client import Client

told = json.load(sys.stdin)
client = Client(told["key"], host=told["address"], gzip=told["packed"], upload_interval=0.1)
for call in told["calls"]:
    moment = datetime.fromtimestamp(call["at_ms"] / 1000, UTC)
    client.track(call["viewer"], call["event"], call["properties"], timestamp=moment)
client.shutdown()
