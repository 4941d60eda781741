"""The counterparts of reference/layers."""
