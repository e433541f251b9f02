"""Footlights: creator analytics for video platforms in which nobody can find out who watched.

`footlights.open(folder)` and `footlights.connect(url, token)` give published figures (docs/guides/python.md).
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The client's two doors, loaded when somebody asks for them: no room pays for what it does not use.

    By name and not by an import statement, since every module imports this one and none may come to know the client
    by it. __init__.pyi tells type checkers what these are.
    """
    if name not in ("connect", "open"):
        raise AttributeError(f"module 'footlights' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("footlights.client"), name)
