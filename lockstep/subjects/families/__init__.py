"""One module a kind of subject, whose `FAMILY` says how it becomes a pair of sides, is replayed and is driven."""
