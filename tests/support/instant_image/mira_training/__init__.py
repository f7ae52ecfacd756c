"""A training image that trains nothing: it publishes what its parameters say, within a second."""
