"""Mechanisms. Pure functions on integers; a proof (.md) lies beside each."""
