"""Puts somebody's code through its trials and records what it did; nothing is judged yet."""
