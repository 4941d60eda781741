"""The registry of subjects, and how each family of them becomes a pair of sides."""
