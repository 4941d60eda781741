"""The counterparts of reference/penalty."""
