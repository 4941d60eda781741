"""What can go wrong, by whose doing."""
