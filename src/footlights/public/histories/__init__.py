"""Histories. In: what TikTok and YouTube hand out to a creator. Out: figures as they state them, read by meaning.

A history is the creator's own and stands apart from the board: nothing here reads a board, and no gate is asked.
"""
