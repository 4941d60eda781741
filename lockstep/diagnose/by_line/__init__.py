"""A formula taken line by line: known causes and slips that no catalogue has, put together to an explanation."""
