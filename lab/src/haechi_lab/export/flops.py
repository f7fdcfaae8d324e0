"""How much a network computes: multiply-adds of its convolutions and matrix products, counted in the graph.

GFLOPs are twice the multiply-adds; papers often print the multiply-adds themselves under that name. What is
left out (norms, activations, sums, pooling) is some per cent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import onnx
from onnx import helper, shape_inference

from haechi import models

COUNTED = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


def gflops(file: Path, *sizes: int) -> float:
    """Of an ONNX network for one input of that shape, such as (1, 3, 224, 224), in units of 1e9."""
    return 2 * multiply_adds(onnx.load(str(file)), *sizes) / 1e9


def multiply_adds(model: onnx.ModelProto, *sizes: int) -> int:
    """Multiply-adds of Conv, ConvTranspose, Gemm and MatMul nodes for one input of that shape. Raises
    ValueError when the shape of one of their tensors cannot be inferred."""
    graph = shape_inference.infer_shapes(_fixed(model, *sizes), strict_mode=True, data_prop=True).graph
    shapes = {i.name: tuple(i.dims) for i in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
    return sum(_of_nodes(graph, shapes))


def _fixed(model: onnx.ModelProto, *sizes: int) -> onnx.ModelProto:
    """The network for inputs of that shape alone, all that follows from it computed: a padding that is worked
    out from the shape, as exporters write it, would stop the inference of shapes."""
    for axis, size in zip(model.graph.input[0].type.tensor_type.shape.dim, sizes, strict=True):
        axis.ClearField("dim_param")
        axis.dim_value = size
    ort = models.runtime()
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "fixed.onnx")
        options.log_severity_level = 3
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        fixed = onnx.load(options.optimized_model_filepath)
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")  # what was written down for a free size
    return fixed


def _of_nodes(graph: onnx.GraphProto, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[int]:
    for node in graph.node:
        if node.op_type not in COUNTED:
            continue
        node_shapes = [shapes.get(name, ()) for name in (node.input[0], node.input[1], node.output[0])]
        if any(not shape or 0 in shape for shape in node_shapes):
            raise ValueError(f"the shapes around {node.op_type} {node.name!r} cannot be inferred")
        data, weight, result = node_shapes
        if node.op_type == "Conv":
            yield prod(result) * prod(weight[1:])
        elif node.op_type == "ConvTranspose":
            yield prod(data) * prod(weight[1:])
        elif node.op_type == "Gemm":
            turned = any(a.name == "transA" and helper.get_attribute_value(a) for a in node.attribute)
            yield prod(result) * data[0 if turned else 1]
        else:
            yield prod(result) * data[-1]
