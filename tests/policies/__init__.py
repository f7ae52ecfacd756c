"""A package, so that its fixtures end with it and leave the session's cluster as they found it."""
