"""One module per outside thing; each turns foreign errors into those of `core.errors`."""
