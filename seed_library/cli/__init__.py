"""The command line: verbs, and how results, events and errors look."""
