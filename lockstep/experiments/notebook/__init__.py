"""The notebook, whole: its runs on both sides, the numbers it prints, its chapters, and its claims put to the test."""
