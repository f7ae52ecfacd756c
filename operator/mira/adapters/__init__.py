"""What touches the world besides the registry's S3 store: Kubernetes, metrics."""
