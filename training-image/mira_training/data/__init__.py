"""From objects in S3 to checked rows for training and evaluation."""
