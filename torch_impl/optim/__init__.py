"""torch.optim's optimizers, fed from NumPy and read back under the same names."""
