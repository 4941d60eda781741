"""How each family of subjects becomes a pair of sides; one file a family."""
