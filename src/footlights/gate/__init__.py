"""The gate: the only room that touches both sides. In: Exact. Out: figures and their spend, on the board."""
