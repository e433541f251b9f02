"""Board. The append-only store of figures: the only thing that the public side ever sees."""
