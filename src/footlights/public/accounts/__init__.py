"""Accounts. Who may look: creators and their readers, operators, and the keys of platforms."""
