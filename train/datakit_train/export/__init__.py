"""Trained models in the forms that others read: Paddle inference, ``.pdparams``, ONNX."""
