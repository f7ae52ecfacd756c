"""Drift: how far a table is from the profile of another, in pure functions."""
