"""Footlights: creator analytics for video platforms in which nobody can find out who watched."""

__version__ = "0.1.0"
