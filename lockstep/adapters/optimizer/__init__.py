"""How optimizers are driven: what one offers is recognised, its arguments and its state found."""
