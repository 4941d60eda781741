"""Two recordings beside each other, or two checkpoints: where they part, and whether by rounding."""
