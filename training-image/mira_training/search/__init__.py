"""A search for better parameters: what to try, on which rows, and how halving finds the best of it."""
