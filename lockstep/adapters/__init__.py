"""How implementations that know nothing of Lockstep are driven."""
