"""The PyTorch counterparts of reference/gradients."""
