"""What a data scientist types on a laptop: describe, run, infer. Each module is imported only by its command."""
