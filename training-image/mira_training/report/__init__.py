"""The model card: one HTML file that tells a person what a version is worth."""
