"""From a trained network to ONNX and its card."""
