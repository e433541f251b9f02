"""Simulate. A small video platform that does not exist: its creators, videos and viewers, for the demo and for tests.

In: a seed. Out: declarations, a month of history and live traffic, calibrated to real logs
(docs/internals/simulator.md). It speaks to the collector as any platform does, and never touches the vault, the
gate or the board.
"""
