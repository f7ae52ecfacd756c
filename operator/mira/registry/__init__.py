"""What lies in S3: the keys, the documents and the protocol that moves a stage, against an ObjectStore port.

`mira.registry.s3` is the only module here that does I/O, and nothing here imports it.
"""
