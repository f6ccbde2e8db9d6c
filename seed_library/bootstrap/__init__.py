"""The composition root: the only place that joins settings, adapters and engine."""
