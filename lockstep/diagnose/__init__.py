"""Replays a recording under hypotheses, solves for their numbers, searches."""
