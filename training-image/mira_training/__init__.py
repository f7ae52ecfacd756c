"""The training image: carries out one order and publishes one immutable version, or says in one sentence why not."""
