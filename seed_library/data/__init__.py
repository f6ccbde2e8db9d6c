"""Dated data: prices and abilities of models."""
