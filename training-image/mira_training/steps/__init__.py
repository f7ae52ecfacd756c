"""The five steps of a training, each a plain typed function."""
