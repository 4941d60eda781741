"""Formats, differences, error-carrying numbers, verdicts, and what this machine's kernels do."""
