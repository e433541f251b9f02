"""Measure. In: the vault. Out: Exact aggregates in which one unit moves each number by at most its bound."""
