"""Mira trains models on Kubernetes and decides, safely, which version is current."""

__version__ = "0.1.0"
