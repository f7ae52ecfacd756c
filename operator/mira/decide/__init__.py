"""The functional core: what to do next, from what was seen. No I/O, no clock, no kopf."""
