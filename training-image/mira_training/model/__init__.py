"""The user's code, the default estimator, and the files a model is published as."""
