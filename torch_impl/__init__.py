"""The torch.optim and torch.nn counterparts, each at the path of its reference."""
