"""The torch.optim.lr_scheduler counterparts of reference/lr_scheduler."""
