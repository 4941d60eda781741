"""Pieces of work that depend on nothing but what they are given: shared out among workers, and kept."""
