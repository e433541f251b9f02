"""Vault. The journal, the private store and the season keys. Never holds a viewer's id, address or user agent."""
