"""What a record may hold: one frozen dataclass a kind."""
