"""How layers, losses and penalties are driven; one file a shape."""
