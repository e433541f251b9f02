"""Languages. In: what a person chose, or what their browser asks for. Out: a language that says what pages say.

English is what the sources say; every other language is a catalogue beside this file, read once a process.
"""

from footlights.public.languages.choice import Languages, accepted
from footlights.public.languages.language import ENGLISH, Language, language

__all__ = ["ENGLISH", "Language", "Languages", "accepted", "language"]
