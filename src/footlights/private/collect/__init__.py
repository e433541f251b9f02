"""Collect. In: bytes from players, platforms, files. Out: checked events under a season's pseudonym, in the vault."""
