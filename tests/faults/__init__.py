"""The operator is killed and its calls are cut, for real: every call of a journey, in every way, one at a time."""
