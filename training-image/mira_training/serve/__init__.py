"""A small inference server: it follows a stage's current version and answers KServe's v2 protocol.

Neither scikit-learn nor pandas nor Prefect is imported here: numpy and the ONNX runtime are enough.
"""
