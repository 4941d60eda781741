"""Steps from-scratch NumPy code beside PyTorch, and measures, judges and explains every difference."""
