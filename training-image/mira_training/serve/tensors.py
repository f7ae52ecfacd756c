"""The v2 protocol's tensors: one per column of the model, checked; refusals name tensor, value and what is allowed."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mira.registry.manifest import Column
from mira_training.refusal import listed
from mira_training.serve.predictor import TEXT

Feed = dict[str, npt.NDArray[Any]]
NOTHING = type(None)
# A bool is an int to Python, and to nobody else. null is a missing value.
ALLOWED: Mapping[str, tuple[frozenset[type], str]] = {
    "FP32": (frozenset({int, float, NOTHING}), "numbers and null"),
    "FP64": (frozenset({int, float, NOTHING}), "numbers and null"),
    "INT64": (frozenset({int, NOTHING}), "whole numbers and null"),
    "BOOL": (frozenset({bool, NOTHING}), "true, false and null"),
    "BYTES": (frozenset({str, NOTHING}), "strings and null"),
}
NUMBERS = ("FP32", "FP64", "INT64", "BOOL")
LARGEST = float(np.finfo(np.float32).max)


class BadRequest(Exception):
    """What was sent cannot be answered; the text is one sentence for who sent it."""


def parsed(body: bytes) -> dict[str, Any]:
    """The request in these bytes. Raises BadRequest."""
    try:
        request = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list):
        raise BadRequest("the body must be a JSON object with a list of tensors under 'inputs'")
    return request


def feed_of(inputs: list[Any], columns: Sequence[Column]) -> Feed:
    """The columns as the ONNX file takes them, float32 or text, rows x 1. Raises BadRequest."""
    wanted = {column.name: column for column in columns}
    feed: Feed = {}
    for number, tensor in enumerate(inputs):
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str):
            raise BadRequest(f"inputs[{number}]: a tensor must be an object with name, datatype, shape and data")
        if name not in wanted:
            raise BadRequest(f"inputs: {name[:80]!r} is no column of this model; it takes {listed(list(wanted))}")
        if name in feed:
            raise BadRequest(f"inputs: {name!r} is sent twice; send one tensor for each column")
        feed[name] = _values(tensor, wanted[name])
    if missing := wanted.keys() - feed.keys():
        raise BadRequest(f"inputs: column {min(missing)!r} is missing; this model takes {listed(list(wanted))}")
    _must_agree(feed)
    return feed


def _must_agree(feed: Feed) -> None:
    first, *others = feed
    for name in others:
        if len(feed[name]) != len(feed[first]):
            raise BadRequest(
                f"inputs: {name!r} has {len(feed[name])} rows and {first!r} has {len(feed[first])}; "
                "all tensors must have the same number"
            )


def _values(tensor: dict[str, Any], column: Column) -> npt.NDArray[Any]:
    datatype, name = tensor.get("datatype"), column.name
    allowed = ("BYTES",) if column.type == TEXT else NUMBERS
    if not isinstance(datatype, str) or datatype not in allowed:
        raise BadRequest(
            f"inputs: {name!r} has the datatype {str(datatype)[:20]!r}; "
            f"a column of type {column.type} takes {listed(allowed)}"
        )
    data = _flat(tensor, name)
    types, words = ALLOWED[datatype]
    if not set(map(type, data)) <= types:
        index, odd = next((index, value) for index, value in enumerate(data) if type(value) not in types)
        raise BadRequest(f"inputs: {name!r} data[{index}] is {_shown(odd)}; allowed in {datatype} are {words}")
    if datatype == "BYTES":
        return np.array(["" if value is None else value for value in data], dtype=object).reshape(-1, 1)
    return _numbers(data, name).reshape(-1, 1)


def _flat(tensor: dict[str, Any], name: str) -> list[Any]:
    shape, data = tensor.get("shape"), tensor.get("data")
    sizes = shape if isinstance(shape, list) and all(type(size) is int and size > 0 for size in shape) else []
    if not (len(sizes) == 1 or (len(sizes) == 2 and sizes[1] == 1)):
        raise BadRequest(f"inputs: {name!r} has the shape {_shown(shape)}; allowed are [rows] and [rows, 1]")
    if not isinstance(data, list):
        raise BadRequest(f"inputs: {name!r} has the data {_shown(data)}; it must be a list")
    if len(sizes) == 2 and all(isinstance(row, list) and len(row) == 1 for row in data):
        data = [row[0] for row in data]
    if len(data) != sizes[0]:
        raise BadRequest(f"inputs: {name!r} has {len(data)} values; its shape says {sizes[0]}")
    return data


def _numbers(data: list[Any], name: str) -> npt.NDArray[np.float32]:
    try:
        values = np.array([math.nan if value is None else float(value) for value in data])
    except OverflowError:
        values = np.array([math.inf])
    if (np.abs(values) > LARGEST).any():
        raise BadRequest(f"inputs: {name!r} holds a number beyond {LARGEST:.2g}; the model computes with 32 bits")
    return values.astype(np.float32)


def outputs_of(scores: npt.NDArray[np.float64], classes: Sequence[str], wanted: Any) -> list[dict[str, Any]]:
    """The answer's tensors: `label` and `probabilities`, or `prediction`; only the wanted ones. Raises BadRequest."""
    if not np.isfinite(scores).all():
        row = int(np.argwhere(~np.isfinite(scores))[0][0])
        raise BadRequest(f"inputs: row {row} has no finite answer; this model may not take missing values (null)")
    rows = len(scores)
    if classes:
        labels = [classes[index] for index in scores.argmax(axis=1)]
        outputs = [
            {"name": "label", "datatype": "BYTES", "shape": [rows], "data": labels},
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [rows, len(classes)],
                "data": scores.ravel().tolist(),
            },
        ]
    else:
        outputs = [{"name": "prediction", "datatype": "FP64", "shape": [rows], "data": scores.tolist()}]
    return _chosen(outputs, wanted)


def _chosen(outputs: list[dict[str, Any]], wanted: Any) -> list[dict[str, Any]]:
    if wanted is None or wanted == []:
        return outputs
    by_name = {output["name"]: output for output in outputs}
    names = (
        [each.get("name") if isinstance(each, dict) else None for each in wanted] if isinstance(wanted, list) else []
    )
    if not names or any(name not in by_name for name in names):
        raise BadRequest(f"outputs: {_shown(wanted)} is not what this model gives; allowed are {listed(list(by_name))}")
    return [by_name[name] for name in names]


def described(columns: Sequence[Column], classes: Sequence[str]) -> dict[str, Any]:
    """The metadata of inputs and outputs; the labels stand in the order of the probabilities."""
    inputs = [
        {"name": column.name, "datatype": "BYTES" if column.type == TEXT else "FP32", "shape": [-1]}
        for column in columns
    ]
    if not classes:
        return {"inputs": inputs, "outputs": [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]}
    labels = {"classes": list(classes)}
    return {
        "inputs": inputs,
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1], "parameters": labels},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(classes)], "parameters": labels},
        ],
    }


def _shown(value: Any) -> str:
    return json.dumps(value)[:60]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number; send null for a missing value")
