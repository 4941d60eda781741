"""The ladder, the ledger and the walk, the growth of a drift, and the matrix."""
