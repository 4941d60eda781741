"""The notebook's figures, drawn from our run, with PyTorch on them and the difference below."""
