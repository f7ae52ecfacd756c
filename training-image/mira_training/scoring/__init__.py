"""How good a model is, and how much better than another on the same rows."""
