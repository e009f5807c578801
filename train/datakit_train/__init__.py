"""The bundled trainer: models, weights, data, engine, evaluation and prediction for PP-OCR.

Importing this package does not import Paddle; :mod:`datakit_train.framework` does, on first use.
"""
