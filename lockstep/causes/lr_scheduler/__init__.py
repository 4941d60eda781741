"""What can be wrong with a learning-rate schedule."""
