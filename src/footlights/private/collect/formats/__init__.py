"""Formats. One file each. In: a log as somebody wrote it. Out: rows for the intake. None of them writes anything."""
