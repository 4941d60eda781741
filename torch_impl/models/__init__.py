"""The counterparts of reference/models."""
