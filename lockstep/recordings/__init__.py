"""What an implementation did, a step at a time, whoever drove it."""
