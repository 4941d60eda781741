"""How optimizers are driven; one file a shape."""
