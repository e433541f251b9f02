"""Audit. In: doors that anybody has. Out: what can be learnt through them, beside what is promised.

It reaches figures by the public API and sends events by the collector, as any outsider does. It never opens a board,
a store or a journal.
"""
