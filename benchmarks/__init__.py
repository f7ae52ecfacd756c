"""What Mira costs beside a plain script that does the same: `make bench`."""
