"""How implementations that know nothing of Lockstep are driven; one file a shape."""
