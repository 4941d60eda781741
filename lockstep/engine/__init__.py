"""Steps two sides together, free and resynchronised, and guards the comparison."""
