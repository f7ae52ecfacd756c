"""Real parts on this machine for development and tests: a Kubernetes control plane, its node, S3, the demo."""
