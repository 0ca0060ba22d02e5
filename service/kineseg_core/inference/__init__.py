"""The model: bundles, and the ONNX step over a table of states."""
