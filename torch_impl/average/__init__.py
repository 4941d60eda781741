"""The torch.optim.swa_utils counterparts of reference/average."""
