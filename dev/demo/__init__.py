"""The demo: the whole job on real flights, on a real API server and a real S3, told step by step."""
