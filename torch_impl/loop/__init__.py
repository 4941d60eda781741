"""The PyTorch counterpart of reference/loop."""
