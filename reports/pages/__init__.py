"""Pages: one kind a file, each a function from records to text. What they say is in the messages, how in the templates."""
