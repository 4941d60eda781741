"""A check as a file for somebody else: JUnit's XML, a page."""
