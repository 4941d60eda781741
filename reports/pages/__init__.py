"""Pages, one kind a file: functions from records to what templates show. What they say is in the messages."""
