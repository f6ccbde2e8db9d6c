"""The run: it knows ports and core, and nothing of vendors, files or screens."""
