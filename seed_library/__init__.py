"""Fill a content library with texts written by Claude: safely, once, for a price known beforehand."""

__version__ = "0.1.0"
