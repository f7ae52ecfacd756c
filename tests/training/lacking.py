"""A features hook's own code that asks for more than there is; the errors are the system's."""

from pathlib import Path

import numpy as np


def memory(df, inputs, params):
    return df.assign(more=np.empty(2**56)[: len(df)])


def disk(df, inputs, params):
    Path("/dev/full").write_bytes(b"x" * 2**20)
    return df
