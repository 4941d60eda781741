"""Which wrong one is yours: what each known cause does in each scenario, as a table, and where it leads to."""
