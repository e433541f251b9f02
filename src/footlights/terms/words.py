"""Words. In: a text. Out: the same text. A mark by which catalogues of other languages find what pages may say."""


def N_(text: str) -> str:
    """Mark a text that a page says later, in a language that is not known here."""
    return text
