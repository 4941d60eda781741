"""What a run leaves behind: data and arrays in a file that is written whole or not at all."""
