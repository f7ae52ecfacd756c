"""Will this flight arrive late? What a data team brings to Mira: one function that makes features."""
