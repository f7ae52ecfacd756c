"""The shell: kopf's watch streams, the cache, the work queue, the workers, settings and probes."""
