"""The command line: what it is called with, what it prints to, and how it ends."""
