"""What happens to gradients between the backward pass and the optimizer: one file a transformation."""
